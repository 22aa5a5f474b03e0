//! The very program that is shipped, built with the tests so that they never run a stale one.

fn main() -> std::process::ExitCode {
    app::main()
}
