//! Partners, customers and resources as people name them, and findings in a line.

use std::collections::BTreeMap;

use domain::finding::Finding;
use domain::ids::Guid;
use domain::period::Day;
use domain::scope::Scope;
use engine::books::Books;

use crate::exit::Problem;

/// The bill-to partners that are meant: all, or the one with this name or tenant.
pub fn partners(books: &Books<'_>, named: Option<&str>) -> Result<Vec<Guid>, Problem> {
    let all = books.bill_to();
    let Some(named) = named else { return Ok(all.into_iter().collect()) };
    let found: Vec<Guid> =
        all.iter().copied().filter(|tenant| is_called(named, *tenant, &books.partner_name(*tenant))).collect();
    if found.is_empty() {
        let names: Vec<String> = all.into_iter().map(|tenant| books.partner_name(tenant)).collect();
        let hint = if names.is_empty() {
            "no plan is known yet, so no partner is billed for anything".to_owned()
        } else {
            format!("plans are billed to {}", names.join(", "))
        };
        return Err(Problem::refused(format!("no plan is billed to a partner called {named}")).hint(hint));
    }
    Ok(found)
}

/// The customer that is meant.
pub fn customer(books: &Books<'_>, named: Option<&str>) -> Result<Option<Guid>, Problem> {
    let Some(named) = named else { return Ok(None) };
    let plans = books.commerce.plans().map(|plan| plan.customer);
    let mut all: Vec<Guid> = plans.collect();
    all.sort_unstable();
    all.dedup();
    let found: Vec<Guid> =
        all.iter().copied().filter(|customer| is_called(named, *customer, &books.customer_name(*customer))).collect();
    match found.as_slice() {
        [one] => Ok(Some(*one)),
        [] => {
            let names: Vec<String> = all.into_iter().take(12).map(|customer| books.customer_name(customer)).collect();
            Err(Problem::refused(format!("no plan of a customer called {named} is known"))
                .hint(format!("customers with plans: {}", names.join(", "))))
        }
        several => Err(Problem::refused(format!("{} customers are called {named}", several.len()))
            .hint("name the customer by its tenant id")),
    }
}

/// The reseller of record that is meant, by location PartnerID or by name; and its name, where known.
pub fn reseller(books: &Books<'_>, named: &str) -> Result<(String, Option<String>), Problem> {
    let changes = books.commerce.plans().flat_map(|plan| books.commerce.reseller_changes(plan.plan));
    let all: std::collections::BTreeSet<String> =
        changes.filter_map(|(_, reseller)| reseller.as_deref().map(str::to_owned)).collect();
    let name = |partner_id: &str| {
        let mut statements = books.partners.statements();
        let known = statements.find(|(_, one)| one.partner_ids.iter().any(|id| &*id.value == partner_id));
        known.map(|(_, statement)| statement.name.to_string())
    };
    let called = |partner_id: &&String| {
        partner_id.as_str() == named || name(partner_id).is_some_and(|name| name.eq_ignore_ascii_case(named))
    };
    match all.iter().filter(called).collect::<Vec<_>>().as_slice() {
        [one] => Ok(((*one).clone(), name(one))),
        [] => {
            let known: Vec<&str> = all.iter().take(12).map(String::as_str).collect();
            let hint = if known.is_empty() {
                "no plan has a reseller of record".to_owned()
            } else {
                format!("resellers of record: {}", known.join(", "))
            };
            Err(Problem::refused(format!("no plan is sold through a reseller called {named}")).hint(hint))
        }
        several => {
            Err(Problem::refused(format!("{} PartnerIDs belong to {named}", several.len())).hint("name one PartnerID"))
        }
    }
}

fn is_called(named: &str, id: Guid, name: &str) -> bool {
    Guid::parse(named).map_or_else(|| name.eq_ignore_ascii_case(named), |guid| guid == id)
}

/// The one resource that is meant among all that were ever used, its subscription, and the newest
/// day with usage of it. A whole ARM id need not have been used.
pub fn resource(books: &Books<'_>, named: &str) -> Result<(Guid, Scope, Option<Day>), Problem> {
    let mut found: BTreeMap<(Guid, Scope), Day> = BTreeMap::new();
    for consumption in books.facts.usage.consumption() {
        let scope = &consumption.place.scope;
        if !is_scope(named, scope) {
            continue;
        }
        if let Some(newest) = consumption.slices().map(|(start, ..)| Day::of(start)).max() {
            let known = found.entry((consumption.place.subscription, scope.clone())).or_insert(newest);
            *known = newest.max(*known);
        }
    }
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some(((subscription, scope), newest)), None) => Ok((subscription, scope, Some(newest))),
        (Some(((_, first), _)), Some(((_, second), _))) => {
            Err(Problem::refused(format!("several resources are called {named}"))
                .hint(format!("write more of the id, for example {first} or {second}")))
        }
        (None, _) => {
            let scope = Scope::parse(named);
            let known = scope.subscription().filter(|id| !books.commerce.placements(*id).is_empty());
            known.map(|subscription| (subscription, scope, None)).ok_or_else(|| {
                Problem::refused(format!("no usage ever named a resource {named}"))
                    .hint("pec eligibility --period MONTH shows the resources of a month; or write a whole ARM id")
            })
        }
    }
}

/// What a finding is about, in a line.
#[must_use]
pub fn about(finding: &Finding) -> String {
    let about = &finding.about;
    let mut words = vec![finding.detail.clone()];
    let mut name = |what: &str, value: Option<String>| {
        if let Some(value) = value {
            words.push(format!("{what} {value}"));
        }
    };
    name("subscription", about.subscription.map(|id| id.to_string()));
    name("resource", about.resource.as_ref().map(|scope| short_scope(scope.as_str())));
    name("meter", about.meter.as_ref().map(ToString::to_string));
    name("day", about.day.map(|day| day.to_string()));
    words.join(", ")
}

/// Whether a scope is the one that is meant: all of its id, or whole segments from its end.
#[must_use]
pub fn is_scope(named: &str, scope: &Scope) -> bool {
    let (named, scope) = (named.trim_matches('/').to_ascii_lowercase(), scope.as_str().trim_start_matches('/'));
    if named.is_empty() {
        return false;
    }
    let at_the_end =
        scope.strip_suffix(named.as_str()).is_some_and(|before| before.is_empty() || before.ends_with('/'));
    at_the_end || short_scope(&format!("/{scope}")) == named
}

/// A resource without the path that all its neighbours share: `vm-1` in `rg-app`.
#[must_use]
pub fn short_scope(scope: &str) -> String {
    let segments: Vec<&str> = scope.split('/').filter(|segment| !segment.is_empty()).collect();
    match segments.as_slice() {
        ["subscriptions", _, "resourcegroups", group, .., name] => format!("{group}/{name}"),
        ["subscriptions", _, "resourcegroups", group] => format!("{group} (group)"),
        ["subscriptions", id] => format!("subscription {}…", id.get(..8).unwrap_or(id)),
        _ => scope.to_owned(),
    }
}

/// Resources by what tells each of them apart from the others: the short name, with as much of the
/// subscription or of the path as it takes where several share it.
#[derive(Default)]
pub struct Names(BTreeMap<String, String>);

impl Names {
    pub fn of<'s>(scopes: impl IntoIterator<Item = &'s str>) -> Self {
        let mut same: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        let distinct: std::collections::BTreeSet<&str> = scopes.into_iter().collect();
        for scope in distinct {
            same.entry(short_scope(scope)).or_default().push(scope);
        }
        let mut names = BTreeMap::new();
        for (short, scopes) in same {
            for scope in &scopes {
                let name = if scopes.len() == 1 { short.clone() } else { longer(scope, &short, &scopes) };
                names.insert((*scope).to_owned(), name);
            }
        }
        Self(names)
    }

    /// How one of them is called; the short name of one that was not among them.
    pub fn get(&self, scope: &str) -> String {
        self.0.get(scope).cloned().unwrap_or_else(|| short_scope(scope))
    }
}

/// The first form that no other of the scopes has: by subscription, by kind of resource, else all of it.
fn longer(scope: &str, short: &str, others: &[&str]) -> String {
    let subscription = |scope: &str| scope.split('/').nth(2).unwrap_or_default().to_owned();
    let begins = |scope: &str| subscription(scope).get(..8).map_or_else(|| subscription(scope), str::to_owned);
    let path = |scope: &str| scope.split('/').skip(4).collect::<Vec<_>>().join("/");
    let alone = |form: &dyn Fn(&str) -> String| others.iter().filter(|other| form(other) == form(scope)).count() == 1;
    if alone(&begins) {
        return format!("{short} ({}…)", begins(scope));
    }
    if alone(&path) { path(scope) } else { scope.to_owned() }
}

/// A sentence with long ids cut to what tells them apart, for people; programs get them in full.
#[must_use]
pub fn shortened(sentence: &str) -> String {
    let word = |word: &str| {
        let bare = word.trim_end_matches([',', ':', ')']).trim_start_matches('(');
        let replaced = if bare.len() == 36 && Guid::parse(bare).is_some() {
            format!("{}…", bare.get(..8).unwrap_or(bare))
        } else if bare.starts_with("/subscriptions/") {
            short_scope(bare)
        } else {
            return word.to_owned();
        };
        word.replace(bare, &replaced)
    };
    sentence.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_shortened_to_what_tells_it_apart() {
        let group = "/subscriptions/44444444-dddd-4ddd-8ddd-444444444444/resourcegroups/rg-app";
        assert_eq!(short_scope(&format!("{group}/providers/microsoft.compute/virtualmachines/vm-1")), "rg-app/vm-1");
        assert_eq!(short_scope(group), "rg-app (group)");
        assert_eq!(short_scope("/providers/x"), "/providers/x");
    }

    #[test]
    fn resources_of_one_name_are_told_apart() {
        let vm = |subscription: &str, kind: &str| {
            format!("/subscriptions/{subscription}/resourcegroups/rg/providers/m/{kind}/vm")
        };
        let (one, two) = ("11111111-dddd-4ddd-8ddd-444444444444", "22222222-dddd-4ddd-8ddd-444444444444");
        let named = |scopes: &[String]| {
            let names = Names::of(scopes.iter().map(String::as_str));
            scopes.iter().map(|scope| names.get(scope)).collect::<Vec<_>>()
        };
        assert_eq!(named(&[vm(one, "vms")]), ["rg/vm"]);
        assert_eq!(named(&[vm(one, "vms"), vm(two, "vms")]), ["rg/vm (11111111…)", "rg/vm (22222222…)"]);
        assert_eq!(named(&[vm(one, "vms"), vm(one, "disks")]), ["rg/providers/m/vms/vm", "rg/providers/m/disks/vm"]);
        let all = [vm(one, "vms"), vm(one, "disks"), vm(two, "vms"), vm(two, "disks")];
        assert_eq!(named(&all), all, "where neither is enough, all of it");
        let unknown = vm(one, "vms");
        assert_eq!(Names::default().get(&unknown), "rg/vm");
    }

    #[test]
    fn long_ids_are_cut_in_sentences_and_short_words_stay() {
        let sentence =
            "role 8e3af657-a8ff-443c-a75c-2fe8c4bcb635, on /subscriptions/44444444-dddd-4ddd-8ddd-444444444444";
        assert_eq!(shortened(sentence), "role 8e3af657…, on subscription 44444444…");
        assert_eq!(shortened("1.5 × 1 Hour from 2026-01-01T00:00:00Z"), "1.5 × 1 Hour from 2026-01-01T00:00:00Z");
    }

    #[test]
    fn a_resource_is_named_by_the_end_of_its_id_and_never_by_half_a_name() {
        let scope =
            Scope::parse("/subscriptions/44444444-dddd-4ddd-8ddd-444444444444/resourceGroups/rg/providers/m/vm/web-1");
        for named in ["web-1", "WEB-1", "vm/web-1", "rg/web-1", scope.as_str()] {
            assert!(is_scope(named, &scope), "{named}");
        }
        for named in ["1", "eb-1", "web", ""] {
            assert!(!is_scope(named, &scope), "{named}");
        }
    }
}
