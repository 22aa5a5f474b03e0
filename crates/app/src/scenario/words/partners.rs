//! Words about partners: programme membership, and the right to credit.

use anyhow::bail;
use domain::entry::{Event, MembershipChange, PartnerStanding};

use crate::scenario::reading::Line;
use crate::scenario::stage::guid;

pub(super) const WORDS: &[&str] = &["join", "lapse", "bar", "reinstate"];

impl Line<'_> {
    pub(super) fn partner(&self) -> anyhow::Result<Event> {
        let partner = guid(self.column(0, "a partner")?);
        let membership = MembershipChange { partner, at: self.at };
        let standing = PartnerStanding { partner, reason: "the scenario says so".into(), at: self.at };
        Ok(match self.what {
            "join" => Event::MembershipStarted(membership),
            "lapse" => Event::MembershipEnded(membership),
            "bar" => Event::PartnerBarred(standing),
            "reinstate" => Event::PartnerReinstated(standing),
            other => bail!("`{other}` is no word about partners"),
        })
    }
}
