//! The `pec` binary: everything is in the library, so that tests can run the very same program.

/// Events are made on one thread and let go on another, for which glibc's allocator pays with locks
/// and consolidation: with this one a replay is a quarter faster.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    #[cfg(unix)]
    keep_memory();
    app::main()
}

/// Has the allocator keep what the system gave it for a while: given back after every second, as it
/// does by itself, the same pages are cleared over and over, a tenth of all work. It reads its settings
/// from the environment before `main` begins, and so `pec` starts itself anew, once and in the same
/// process. Where that cannot be done it runs all the same. Set the variable yourself to decide otherwise.
#[cfg(unix)]
fn keep_memory() {
    use std::os::unix::process::CommandExt as _;
    const SETTING: &str = "MIMALLOC_PURGE_DELAY";
    const MILLISECONDS: &str = "60000";
    if std::env::var_os(SETTING).is_some() {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    let mut words = std::env::args_os();
    let mut anew = std::process::Command::new(program);
    if let Some(name) = words.next() {
        anew.arg0(name);
    }
    // It comes back only with the reason why it could not.
    drop(anew.args(words).env(SETTING, MILLISECONDS).exec());
}
