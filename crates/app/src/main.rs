//! The `pec` binary: everything is in the library, so that tests can run the very same program.

fn main() -> std::process::ExitCode {
    app::main()
}
