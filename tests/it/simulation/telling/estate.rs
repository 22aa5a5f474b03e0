//! Tells what became of resources and groups, and where subscriptions stand.

use domain::entry::{Event, ScopeChange, ScopeMoved, TreeChange};
use domain::scope::Scope;
use serde_json::{Value, json};

use super::{Teller, body, guid, instant};
use crate::azure::{self, Record};
use crate::memory::Body;
use crate::oracle::access::contains;
use crate::oracle::world::{Absence, By, Grant, Time};

impl Teller<'_> {
    pub(super) fn estate(&mut self) {
        let world = self.world;
        for absence in &world.absences {
            self.deletion(absence);
            if let Some(at) = absence.during.to {
                let change = ScopeChange { scope: Scope::parse(&absence.scope), at: instant(at) };
                self.say(Event::ScopeCreated(change));
            }
        }
        for resource in &world.resources {
            for (before, after) in resource.homes.iter().zip(resource.homes.iter().skip(1)) {
                self.relocation(&before.1, &after.1, after.0);
            }
        }
        for (number, place) in world.tree.iter().enumerate() {
            let (child, parent) = (Scope::parse(&place.child), Scope::parse(&place.parent));
            let (from, entered) = (instant(place.held.from), Some(parent.clone()));
            self.say(Event::TreeChanged(TreeChange { child: child.clone(), parent: entered, left: None, at: from }));
            let next = world.tree.get(number + 1).filter(|next| next.child == place.child);
            let replaced = next.is_some_and(|next| Some(next.held.from) == place.held.to);
            // Whoever is put below another group has left this one; some channels say that too.
            if let Some(at) = place.held.to.filter(|_| !replaced || self.dice.chance(50)) {
                let left = Some(parent).filter(|_| replaced || self.dice.chance(50));
                self.say(Event::TreeChanged(TreeChange { child, parent: None, left, at: instant(at) }));
            }
        }
    }

    /// A group is deleted assignment by assignment, and its own record comes last.
    fn deletion(&mut self, absence: &Absence) {
        let world = self.world;
        let (scope, mut at) = (Scope::parse(&absence.scope), absence.during.from);
        let ends_here = |grant: &&Grant| {
            let ends = grant.held.span().to == Some(absence.during.from);
            ends && grant.by == By::Assignment && contains(&absence.scope, &grant.scope)
        };
        let ending: Vec<&Grant> = world.grants.iter().filter(ends_here).collect();
        if scope.resource_group().as_ref() == Some(&scope) && !ending.is_empty() && self.dice.chance(60) {
            for grant in ending {
                self.cascade(grant, &scope, at);
                at += 7;
            }
            at += 300;
        }
        if self.dice.chance(50) {
            self.say(Event::ScopeDeleted(ScopeChange { scope, at: instant(at) }));
        } else {
            let operation = if absence.scope.split('/').count() == 5 {
                "Microsoft.Resources/subscriptions/resourceGroups/delete"
            } else {
                "Microsoft.Compute/virtualMachines/delete"
            };
            let properties = json!({ "statusCode": "OK" });
            self.of_a_place(&absence.scope, operation, ("Success", at), &properties);
        }
    }

    fn cascade(&mut self, grant: &Grant, group: &Scope, at: Time) {
        self.correlations += 1;
        let (assignment, scope) = (guid(grant.id), Scope::parse(&grant.scope));
        let (what, result, correlation) = ("delete", "Success", self.correlation());
        let said = Record { assignment, scope: &scope, what, result, correlation, at: instant(at) };
        let mut record = azure::record(&said, &body(grant));
        let action = "Microsoft.Resources/subscriptions/resourcegroups/delete";
        record["identity"] = json!({ "authorization": { "action": action, "scope": group.as_str() } });
        self.say_body(Body::Record(record));
    }

    /// What moves is the machine with all that is below it: as our own event, or as it was asked and done.
    fn relocation(&mut self, before: &str, after: &str, at: Time) {
        let cut = |path: &str, parts: usize| path.split('/').take(parts).collect::<Vec<_>>().join("/");
        let (from, to) = (cut(before, 9), cut(after, 9));
        if self.dice.chance(50) {
            let (from, to, at) = (Scope::parse(&from), Scope::parse(&to), instant(at));
            self.say(Event::ScopeMoved(ScopeMoved { from, to, at }));
            return;
        }
        self.correlations += 1;
        let asked = json!({ "resources": [from], "targetResourceGroup": cut(after, 5) });
        let operation = "Microsoft.Resources/subscriptions/resourceGroups/moveResources/action";
        let (group, asked) = (cut(before, 5), json!({ "requestbody": asked.to_string() }));
        self.of_a_place(&group, operation, ("Start", at - 240), &asked);
        self.of_a_place(&group, operation, ("Success", at), &json!({ "statusCode": "OK" }));
    }

    fn of_a_place(&mut self, scope: &str, operation: &str, (result, at): (&str, Time), properties: &Value) {
        self.say_body(Body::Record(json!({
            "time": instant(at).format("%Y-%m-%dT%H:%M:%S.0000000Z").to_string(),
            "resourceId": scope.to_uppercase(),
            "operationName": operation.to_uppercase(),
            "category": "Administrative",
            "resultType": result,
            "correlationId": self.correlation().to_string(),
            "properties": properties,
        })));
    }
}
