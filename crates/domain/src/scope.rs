//! ARM scopes and what "contains" means.
//!
//! Containment is by path segment and without case: `rg-prod` does not contain `rg-prod2`. A
//! string prefix test is the classic mistake, so scopes are compared here and nowhere else.
//! Management groups contain subscriptions only by a hierarchy that is told separately.

use std::fmt;

use crate::ids::Guid;

/// A normalised ARM scope: lower case, one leading slash, no trailing or doubled slashes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(Box<str>);

/// At which level of the tree a scope stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    Root,
    ManagementGroup,
    Subscription,
    ResourceGroup,
    Resource,
    /// A provider path above subscriptions that is no management group (`/providers/microsoft.aadiam/…`).
    Other,
}

impl Scope {
    /// Whether the last bytes are equal: a look that tells most scopes apart.
    pub(crate) fn ends_like(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.as_bytes().last() == other.0.as_bytes().last()
    }

    /// Normalises any spelling seen in the wild: missing leading slash, doubled or trailing
    /// slashes, any case, the GUID of a subscription with or without dashes.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if is_tidy(text.as_bytes()) {
            return Self(text.to_ascii_lowercase().into());
        }
        let mut out = String::with_capacity(text.len() + 1);
        for segment in text.trim().split('/').filter(|segment| !segment.is_empty()) {
            out.push('/');
            // A name further down may look like a GUID too, and is left as it was given.
            match (out == "/subscriptions/").then(|| Guid::parse(segment)).flatten() {
                Some(guid) => {
                    use fmt::Write as _;
                    write!(out, "{guid}").expect("writing to a string cannot fail");
                }
                None if segment.is_ascii() => out.extend(segment.chars().map(|c| c.to_ascii_lowercase())),
                None => out.push_str(&segment.to_lowercase()),
            }
        }
        if out.is_empty() {
            out.push('/');
        }
        Self(out.into())
    }

    /// The scope of a whole subscription.
    #[must_use]
    pub fn subscription_of(guid: Guid) -> Self {
        Self(format!("/subscriptions/{guid}").into())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `other` lies at or below this scope. The root contains everything; management
    /// groups answer only for themselves here.
    #[must_use]
    pub fn contains(&self, other: &Scope) -> bool {
        if &*self.0 == "/" {
            return true;
        }
        match other.0.strip_prefix(&*self.0) {
            Some(rest) => rest.is_empty() || rest.starts_with('/'),
            None => false,
        }
    }

    #[must_use]
    pub fn level(&self) -> Level {
        let mut segments = self.0.split('/').filter(|segment| !segment.is_empty());
        match (segments.next(), segments.next(), segments.next(), segments.next(), segments.next()) {
            (None, ..) => Level::Root,
            (Some("subscriptions"), Some(_), None, ..) => Level::Subscription,
            (Some("subscriptions"), Some(_), Some("resourcegroups"), Some(_), None) => Level::ResourceGroup,
            (Some("subscriptions"), Some(_), Some(_), ..) => Level::Resource,
            (Some("providers"), Some("microsoft.management"), Some("managementgroups"), Some(_), None) => {
                Level::ManagementGroup
            }
            _ => Level::Other,
        }
    }

    /// The subscription this scope lies in, if it lies in one.
    #[must_use]
    pub fn subscription(&self) -> Option<Guid> {
        let mut segments = self.0.split('/').skip(1);
        match (segments.next(), segments.next()) {
            (Some("subscriptions"), Some(id)) => Guid::parse(id),
            _ => None,
        }
    }

    /// The resource group this scope is or lies in, if it does.
    #[must_use]
    pub fn resource_group(&self) -> Option<Scope> {
        let mut segments = self.0.splitn(6, '/').skip(1);
        match (segments.next(), segments.next(), segments.next(), segments.next()) {
            (Some("subscriptions"), Some(id), Some("resourcegroups"), Some(group)) => {
                Some(Scope(format!("/subscriptions/{id}/resourcegroups/{group}").into()))
            }
            _ => None,
        }
    }
}

/// Whether lower-casing is all that a spelling needs: ASCII, one slash before each segment and none
/// after the last, and a dashed subscription id. So are nearly all, and this is read per event.
fn is_tidy(text: &[u8]) -> bool {
    // Every byte is looked at without a branch, which compilers turn into a few wide instructions.
    let odd = text.iter().fold(false, |odd, byte| odd | !byte.is_ascii_graphic());
    let doubled = text.iter().zip(text.iter().skip(1)).fold(false, |found, (a, b)| found | ((*a, *b) == (b'/', b'/')));
    if odd || doubled || text.last() == Some(&b'/') {
        return false;
    }
    let Some((start, rest)) = text.split_at_checked("/subscriptions/".len()) else { return false };
    let dashed = |at: usize| rest.get(at) == Some(&b'-');
    let ends = matches!(rest.get(GUID_LENGTH), None | Some(b'/')) && rest.len() >= GUID_LENGTH;
    start.eq_ignore_ascii_case(b"/subscriptions/")
        && ends
        && [8, 13, 18, 23].into_iter().all(dashed)
        && rest.iter().take(GUID_LENGTH).filter(|byte| byte.is_ascii_hexdigit()).count() == GUID_LENGTH - 4
}

/// Characters of a dashed GUID.
const GUID_LENGTH: usize = 36;

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUB: &str = "/subscriptions/44444444-dddd-4ddd-8ddd-444444444444";

    #[test]
    fn contains_goes_by_segment_and_not_by_prefix() {
        let group = Scope::parse(&format!("{SUB}/resourceGroups/RG-prod"));
        assert!(group.contains(&Scope::parse(&format!("{SUB}/resourcegroups/rg-prod/providers/a/b/c"))));
        assert!(!group.contains(&Scope::parse(&format!("{SUB}/resourcegroups/rg-prod2"))));
        assert!(Scope::parse("/").contains(&group));
        assert!(group.contains(&group));
        assert!(!group.contains(&Scope::parse(SUB)));
    }

    #[test]
    fn odd_spellings_are_one_scope() {
        let plain = Scope::parse(SUB);
        assert_eq!(Scope::parse(&format!("{}//", SUB.to_uppercase())), plain);
        assert_eq!(Scope::parse("subscriptions/44444444dddd4ddd8ddd444444444444"), plain);
        assert_eq!(Scope::parse("/Subscriptions/{44444444-DDDD-4ddd-8ddd-444444444444}"), plain);
        assert_eq!(Scope::parse("/subscriptions/4444444-4dddd-4ddd-8ddd-444444444444/"), plain);
        let group = Scope::parse(&format!("{SUB}/resourceGroups/Größe"));
        assert_eq!(group, Scope::parse(&format!("{}/RESOURCEGROUPS/GRÖSSE/", SUB.to_uppercase()).replace("SS", "ß")));
    }

    #[test]
    fn only_the_id_of_a_subscription_is_written_anew() {
        for name in ["/things/44444444dddd4ddd8ddd444444444444", "/44444444dddd4ddd8ddd444444444444"] {
            assert_eq!(Scope::parse(name).as_str(), name);
            let below = format!("{SUB}/providers/a/b{name}/subscriptions{name}/subscriptions/4444-44444444");
            assert_eq!(Scope::parse(&below).as_str(), below);
            assert_eq!(Scope::parse(&format!("/{below}")).as_str(), below);
        }
        let resource = "/subscriptions/44444444dddd4ddd8ddd444444444444/providers/a/b/44444444dddd4ddd8ddd444444444444";
        assert_eq!(Scope::parse(resource).as_str(), format!("{SUB}/providers/a/b/44444444dddd4ddd8ddd444444444444"));
    }

    /// What is taken as it is, and what is wrong in one place only: with a list that forgets one kind, two
    /// spellings of a resource would be two resources.
    #[test]
    fn a_spelling_is_taken_as_it_is_if_lower_case_is_all_it_lacks() {
        let tidy = [SUB.to_owned(), SUB.to_uppercase(), format!("{SUB}/resourceGroups/RG_1/providers/a.b/c-d/(e)")];
        for text in tidy {
            assert!(is_tidy(text.as_bytes()), "{text} is read slowly");
            assert_eq!(Scope::parse(&text).as_str(), text.to_ascii_lowercase());
        }
        let group = format!("{SUB}/resourceGroups/rg");
        let other = |from: &str, to: &str| group.replacen(from, to, 1);
        let untidy = [
            format!("{group}/"),
            format!("{SUB}/"),
            format!("{SUB}//providers//a"),
            format!(" {group}"),
            format!("{group}\n"),
            other("rg", "gr\u{f6}\u{df}e"),
            other("/resource", "//resource"),
            other("/subscriptions", "//subscriptions"),
            other("/subscriptions", "subscriptions"),
            other("4444-dddd", "4444dddd-"),
            other("-4ddd", "4ddd-"),
            other("-8ddd", "8ddd-"),
            other("-444", "444-"),
            other("44444444-", "4-4444444"),
            other("-", ""),
            other("4444-dddd", "444-ddddd"),
            other("444444444444/", "44444444444/"),
            other("444444444444/", "4444444444444/"),
            other("dddd", "dddg"),
            other("dddd", "d-dd"),
            other("subscriptions", "subscribtions"),
            other(SUB, ""),
            SUB[..SUB.len() - 1].to_owned(),
            "/subscriptions/44444444-dddd-4ddd-8ddd-/44444444444".to_owned(),
            "/subscriptions".to_owned(),
            String::new(),
        ];
        for text in untidy {
            assert!(!is_tidy(text.as_bytes()), "{text:?} is taken as it is");
        }
    }

    #[test]
    fn levels_and_parents() {
        let resource = Scope::parse(&format!("{SUB}/resourceGroups/rg/providers/Microsoft.Compute/vm/a"));
        assert_eq!(resource.level(), Level::Resource);
        let group = resource.resource_group().unwrap();
        assert_eq!(group.as_str(), format!("{SUB}/resourcegroups/rg"));
        assert_eq!(group.level(), Level::ResourceGroup);
        assert_eq!(group.resource_group(), Some(group.clone()));
        assert_eq!(Scope::parse(SUB).resource_group(), None);
        assert_eq!(Scope::parse(SUB).level(), Level::Subscription);
        assert_eq!(Scope::parse(&format!("{SUB}/providers/x/y/z")).resource_group(), None);
        assert_eq!(
            Scope::parse("/providers/Microsoft.Management/managementGroups/root").level(),
            Level::ManagementGroup
        );
        assert_eq!(Scope::parse("").level(), Level::Root);
    }
}
