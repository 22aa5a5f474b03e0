//! Words about what access rests on: deny assignments, groups, what exists where, the tree of
//! management groups, the table of roles, and the policy.

use anyhow::{Context as _, bail};
use domain::entry::{
    DenyAssignment, DenyAssignmentDeleted, Event, GroupMemberAdded, GroupMemberRemoved, ListedRole, PrincipalDeleted,
    RoleList, ScopeChange, ScopeMoved, SubscriptionMoved, TreeChange,
};
use domain::ids::Guid;
use domain::period::Day;

use crate::scenario::reading::Line;
use crate::scenario::stage::{guid, role};

pub(super) const WORDS: &[&str] = &[
    "deny",
    "undeny",
    "add-member",
    "remove-member",
    "delete-principal",
    "create",
    "delete",
    "move",
    "change-directory",
    "below",
    "role-list",
];

impl Line<'_> {
    pub(super) fn estate(&self) -> anyhow::Result<Event> {
        let at = self.at;
        Ok(match self.what {
            "deny" => Event::DenyAssigned(self.denied()?),
            "undeny" => {
                let deny = self.deny_id()?;
                Event::DenyRemoved(DenyAssignmentDeleted {
                    deny,
                    scope: self.names.place(self.column(0, "a scope")?)?,
                    at,
                })
            }
            "add-member" => {
                let (group, member) = self.membership()?;
                Event::GroupMemberAdded(GroupMemberAdded { group, member, at, until: self.time("until")? })
            }
            "remove-member" => {
                let (group, member) = self.membership()?;
                Event::GroupMemberRemoved(GroupMemberRemoved { group, member, at })
            }
            "delete-principal" => Event::PrincipalDeleted(PrincipalDeleted {
                principal: self.names.somebody(self.column(0, "a person")?)?,
                at,
            }),
            "create" => Event::ScopeCreated(ScopeChange { scope: self.names.place(self.column(0, "a scope")?)?, at }),
            "delete" => Event::ScopeDeleted(ScopeChange { scope: self.names.place(self.column(0, "a scope")?)?, at }),
            "move" => {
                let (from, to) =
                    (self.names.place(self.column(0, "a scope")?)?, self.names.place(self.column(1, "where to")?)?);
                Event::ScopeMoved(ScopeMoved { from, to, at })
            }
            "change-directory" => {
                let (subscription, to_tenant) = (self.column(0, "a subscription")?, self.column(1, "a tenant")?);
                let (subscription, to_tenant) = (guid(subscription), guid(to_tenant));
                Event::SubscriptionMoved(SubscriptionMoved { subscription, to_tenant, at })
            }
            "below" => {
                let child = self.names.place(self.column(0, "a subscription or management group")?)?;
                let parent = self.column(1, "a management group or none")?;
                let parent = if parent == "none" { None } else { Some(self.names.place(parent)?) };
                Event::TreeChanged(TreeChange { child, parent, left: None, at })
            }
            "role-list" => Event::RolesPublished(self.role_list()?),
            other => bail!("`{other}` is no word about what access rests on"),
        })
    }

    fn deny_id(&self) -> anyhow::Result<Guid> {
        Ok(guid(&format!("deny {} {}", self.column(0, "a scope")?, self.column(1, "what is denied")?)))
    }

    fn denied(&self) -> anyhow::Result<DenyAssignment> {
        let who = |name: &str| if name == "everybody" { Ok(Guid(0)) } else { self.names.somebody(name) };
        let excluded = self.named.get("except").map(|name| who(name)).transpose()?;
        Ok(DenyAssignment {
            deny: self.deny_id()?,
            scope: self.names.place(self.column(0, "a scope")?)?,
            principals: vec![who(self.column(2, "whom it is denied, or everybody")?)?],
            excluded: excluded.into_iter().collect(),
            actions: vec![self.column(1, "what is denied")?.into()],
            not_actions: Vec::new(),
            only_there: false,
            at: self.at,
        })
    }

    fn membership(&self) -> anyhow::Result<(Guid, Guid)> {
        Ok((self.names.somebody(self.column(0, "a group")?)?, self.names.somebody(self.column(1, "a member")?)?))
    }

    /// `Owner=yes Support=no`: the whole table from the day on.
    fn role_list(&self) -> anyhow::Result<RoleList> {
        let row = |(name, verdict): (&&str, &&str)| {
            let eligible = match *verdict {
                "yes" => true,
                "no" => false,
                _ => bail!("`{name}={verdict}`: a role of the list is yes or no"),
            };
            Ok(ListedRole { role: role(name)?, name: (*name).into(), eligible })
        };
        let rows = self.named.iter().filter(|(name, _)| !matches!(**name, "as" | "recorded"));
        let roles: Vec<ListedRole> = rows.map(row).collect::<anyhow::Result<_>>()?;
        (!roles.is_empty()).then_some(()).context("a role list needs roles, such as Owner=yes")?;
        Ok(RoleList { effective_from: Day::of(self.at), roles })
    }
}
