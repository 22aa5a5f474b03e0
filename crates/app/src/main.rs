//! The `pec` binary: everything is in the library, so that tests can run the very same program.

/// Events are made on one thread and let go on another, for which glibc's allocator pays with locks
/// and consolidation: with this one a replay is a quarter faster.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    app::main()
}
