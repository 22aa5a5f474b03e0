//! The one place that asks what time it is.
//!
//! Time enters as a value everywhere else, so that a replay sees the time that was. The wall clock
//! is compared with the monotonic one: a clock that is set while we run must not decide silently
//! what was known when.

use std::time::Duration;

use chrono::TimeDelta;
use domain::period::Instant;

use crate::fault::Fault;

/// How far the wall clock may drift from the monotonic one while running.
const DRIFT_MAX: TimeDelta = TimeDelta::minutes(5);

/// Both clocks as they stood when it was made.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    wall: Instant,
    monotonic: std::time::Instant,
}

impl Clock {
    #[must_use]
    pub fn start() -> Self {
        Self { wall: wall(), monotonic: monotonic() }
    }

    /// The time, or a fault when the wall clock was set while we ran.
    pub fn now(&self) -> Result<Instant, Fault> {
        let now = wall();
        check(self.wall, self.uptime(), now)?;
        Ok(now)
    }

    /// Since this clock was made; never goes back.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        monotonic().duration_since(self.monotonic)
    }
}

fn check(started: Instant, running: Duration, now: Instant) -> Result<(), Fault> {
    let running = TimeDelta::from_std(running).unwrap_or(TimeDelta::MAX);
    let expected = started.checked_add_signed(running).unwrap_or(Instant::MAX_UTC);
    if (now - expected).abs() > DRIFT_MAX {
        return Err(Fault::ClockDrift { now, expected });
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that asks")]
fn wall() -> Instant {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let since_epoch = since_epoch.expect("a clock before 1970 is set before anything here runs");
    let seconds = i64::try_from(since_epoch.as_secs()).expect("seconds since 1970 fit 63 bits");
    Instant::from_timestamp(seconds, since_epoch.subsec_nanos()).expect("the clock shows a year that a calendar knows")
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that asks")]
fn monotonic() -> std::time::Instant {
    std::time::Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_while_we_ran_is_noticed_in_both_directions() {
        let started = domain::period::Day(20_000).start();
        let hour = Duration::from_secs(3600);
        let at = |minutes| started + TimeDelta::minutes(minutes);
        assert!(check(started, hour, at(60)).is_ok());
        assert!(check(started, hour, at(64)).is_ok());
        assert!(matches!(check(started, hour, at(66)), Err(Fault::ClockDrift { .. })));
        assert!(matches!(check(started, hour, at(54)), Err(Fault::ClockDrift { .. })));
    }
}
