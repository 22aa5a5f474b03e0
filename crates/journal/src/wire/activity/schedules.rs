//! Privileged Identity Management: `roleAssignmentScheduleRequests`, the eligible kind beside it,
//! and the Entra audit records of the same activations.
//!
//! A request gives access only once it succeeded and its body says so (`Provisioned`); one that
//! succeeded without a body is refused by name. Entra's audit records become facts where they name
//! scope, role, principal and times in full; the others name them for display only and count as
//! other activity. No recorded sample of either is known: all of these shapes are synthetic, after
//! the documented REST objects.

use chrono::TimeDelta;
use domain::entry::{ActivityResult, Event, Schedule, ScheduleCancelled};
use domain::ids::Guid;
use domain::period::Instant;
use domain::scope::{Level, Scope};

use super::assignments::split_id;
use super::fields::{Object, document_of, field, last_guid, word_of};
use super::reading::{Reading, shown};
use super::time;
use crate::wire::Rejection;

const NAMESPACE: &str = "microsoft.authorization";
const ACTIVE: &str = "roleassignmentschedulerequests";
const ELIGIBLE: &str = "roleeligibilityschedulerequests";

/// The event of a schedule record; `None` for every other operation.
pub(super) fn read(reading: &Reading<'_>) -> Option<Result<Event, Rejection>> {
    let (kind, cancels) = match reading.operation.strip_prefix("microsoft.authorization/")? {
        "roleassignmentschedulerequests/write" => (ACTIVE, false),
        "roleassignmentschedulerequests/cancel/action" => (ACTIVE, true),
        "roleeligibilityschedulerequests/write" => (ELIGIBLE, false),
        "roleeligibilityschedulerequests/cancel/action" => (ELIGIBLE, true),
        _ => return None,
    };
    Some(match reading.known_result() {
        Ok(ActivityResult::Succeeded) if cancels => cancelled(reading, kind),
        Ok(ActivityResult::Succeeded) => requested(reading, kind),
        Ok(_) => Ok(super::other(reading)),
        Err(rejection) => Err(rejection),
    })
}

fn cancelled(reading: &Reading<'_>, kind: &str) -> Result<Event, Rejection> {
    let (scope, schedule) = split_id(reading, NAMESPACE, kind)?;
    Ok(Event::ScheduleCancelled(ScheduleCancelled { schedule, scope, at: reading.at_millis() }))
}

fn requested(reading: &Reading<'_>, kind: &str) -> Result<Event, Rejection> {
    let (scope, request) = split_id(reading, NAMESPACE, kind)?;
    let incomplete = |what: &str| Rejection {
        code: "R-schedule-incomplete",
        detail: format!(
            "the schedule request {request} succeeded at {}, but {what}; state it whole in a `pec.schedule.created.v1` or \
             `pec.schedule.cancelled.v1` event",
            reading.at
        ),
    };
    let body = reading.properties.as_deref().and_then(|properties| {
        document_of(properties, &["responsebody"]).or_else(|| document_of(properties, &["requestbody"]))
    });
    let body = body.ok_or_else(|| incomplete("the record carries no body"))?;
    let inner = document_of(&body, &["properties"]).ok_or_else(|| incomplete("its body has no properties"))?;
    let says = |name| word_of(&inner, &[name]).map(|word| word.to_lowercase());
    if says("status").is_some_and(|status| !matches!(status.as_str(), "provisioned" | "granted" | "revoked")) {
        // Pending, denied, failed: nobody holds anything by it.
        return Ok(super::other(reading));
    }
    let targeted = last_guid(&inner, "targetroleassignmentscheduleid")
        .or_else(|| last_guid(&inner, "targetroleeligibilityscheduleid"));
    match says("requesttype").as_deref() {
        Some("adminremove" | "selfdeactivate") => {
            let schedule = targeted.ok_or_else(|| incomplete("it does not name the schedule that it ends"))?;
            Ok(Event::ScheduleCancelled(ScheduleCancelled { schedule, scope, at: reading.at_millis() }))
        }
        Some(
            "adminassign" | "adminupdate" | "adminextend" | "adminrenew" | "selfactivate" | "selfextend" | "selfrenew",
        ) => {
            let created = created(&inner, targeted.unwrap_or(request), scope, kind == ELIGIBLE, reading.at_millis());
            let missing = || incomplete("its body lacks the principal, the role, the start or a readable end");
            created.map(Event::ScheduleCreated).ok_or_else(missing)
        }
        other => Err(incomplete(&format!("its request type is `{}`", shown(other.unwrap_or_default())))),
    }
}

fn created(body: &Object, schedule: Guid, scope: Scope, eligible_only: bool, at: Instant) -> Option<Schedule> {
    let info = document_of(body, &["scheduleinfo"])?;
    let start = time_in(&info, "startdatetime")?;
    Some(Schedule {
        schedule,
        scope,
        principal: last_guid(body, "principalid")?,
        principal_type: word_of(body, &["principaltype"]).map(|word| Box::from(&*word)),
        role: last_guid(body, "roledefinitionid")?,
        eligible_only,
        start,
        end: end_of(&info, start)?,
        provisioned_at: at,
    })
}

/// The end that a schedule states: `Some(None)` where it never ends, `None` where it cannot be read.
fn end_of(info: &Object, start: Instant) -> Option<Option<Instant>> {
    let expiration = document_of(info, &["expiration"])?;
    match word_of(&expiration, &["type"])?.to_lowercase().as_str() {
        "noexpiration" => Some(None),
        "afterdatetime" => time_in(&expiration, "enddatetime").map(Some),
        "afterduration" => {
            let duration = duration(&word_of(&expiration, &["duration"])?)?;
            start.checked_add_signed(duration).map(Some)
        }
        _ => None,
    }
}

fn time_in(object: &Object, name: &str) -> Option<Instant> {
    word_of(object, &[name]).and_then(|text| time::parse(&text))
}

/// An ISO 8601 duration of fixed length: `PT8H`, `P1DT30M`. Months and years have no fixed length
/// and are refused.
fn duration(text: &str) -> Option<TimeDelta> {
    let mut rest = text.strip_prefix('P')?;
    let mut seconds: i64 = 0;
    let mut in_clock = false;
    while !rest.is_empty() {
        if let (false, Some(clock)) = (in_clock, rest.strip_prefix('T')) {
            in_clock = true;
            rest = clock;
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at_checked(digits)?;
        let mut letters = tail.chars();
        let unit = match (in_clock, letters.next()?) {
            (false, 'W') => 604_800,
            (false, 'D') => 86_400,
            (true, 'H') => 3_600,
            (true, 'M') => 60,
            (true, 'S') => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(number.parse::<i64>().ok()?.checked_mul(unit)?)?;
        rest = letters.as_str();
    }
    TimeDelta::try_seconds(seconds).filter(|duration| *duration > TimeDelta::zero())
}

/// Entra's audit record of an activation, where it names everything in full.
pub(super) fn read_audit(reading: &Reading<'_>) -> Option<Event> {
    let properties = reading.properties.as_deref()?;
    let succeeded = word_of(properties, &["result"]).is_some_and(|word| word.eq_ignore_ascii_case("success"));
    let completed = reading.operation.starts_with("add member to role")
        && (reading.operation.contains("completed") && reading.operation.contains("pim activation"));
    if !succeeded || !completed {
        return None;
    }
    let detail = |name: &str| {
        let list = field(properties, "additionaldetails")?.as_array()?;
        let named = |item: &&Object| word_of(item, &["key"]).is_some_and(|key| key.eq_ignore_ascii_case(name));
        list.iter().filter_map(|item| item.as_object()).find(named).and_then(|item| word_of(item, &["value"]))
    };
    let user =
        field(properties, "targetresources")?.as_array()?.iter().filter_map(|item| item.as_object()).find(|item| {
            word_of(item, &["type"]).is_some_and(|kind| matches!(&*kind.to_lowercase(), "user" | "serviceprincipal"))
        })?;
    let scope = Scope::parse(&detail("Scope").or_else(|| detail("ResourceId"))?);
    if matches!(scope.level(), Level::Root | Level::Other) {
        return None;
    }
    Some(Event::ScheduleCreated(Schedule {
        schedule: Guid::parse(&detail("RequestId")?)?,
        scope,
        principal: last_guid(user, "id")?,
        principal_type: word_of(user, &["type"]).map(|word| Box::from(&*word)),
        role: Guid::parse(detail("RoleDefinitionOriginId")?.rsplit('/').next()?)?,
        eligible_only: false,
        start: time::parse(&detail("StartTime")?)?,
        end: Some(time::parse(&detail("ExpirationTime")?)?),
        provisioned_at: reading.at_millis(),
    }))
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_of_fixed_length_only() {
        let hours = |text| duration(text).map(|duration| duration.num_minutes());
        assert_eq!(hours("PT8H"), Some(480));
        assert_eq!(hours("P1DT30M"), Some(1470));
        assert_eq!(hours("P365D"), Some(525_600));
        for text in ["", "P", "PT", "P1M", "P1Y", "PT8", "8H", "PT-8H", "P1H", "PT1D", "PT99999999999999999999H"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
