//! The decision tables of the rules, written down by asking the rules.
//!
//! Nothing here decides: every cell is what the function says. The document repeats these tables,
//! and a test keeps it equal to them.

use super::Ground;
use super::aftermath::{self, Attachment, Due};
use super::rules::{
    self, Attached, Azure, Beside, Bond, ByThen, Class, Credit, Era, Given, Kinship, Left, Listed, Location, Made,
    MfaEra, Moving, PartnerId, Place, Posture, Prior, Qualified, Ruling, Seller, Signed, Source, Tenant, Term, Thing,
};
use crate::channel::State;
use crate::entry::{AttesterRole, OrderDoor, OrderKind};

/// One rule's table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table {
    pub rule: &'static str,
    pub title: &'static str,
    pub heads: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
}

fn said(rulings: &[Ruling]) -> String {
    let code = |ground: Ground| match ground.error() {
        Some(error) => format!("{} ({error})", ground.text()),
        None => ground.text().to_owned(),
    };
    let one = |ruling: &Ruling| match ruling {
        Ruling::Refuse(ground) => format!("refused: {}", code(*ground)),
        Ruling::Remark(ground) => format!("remark: {}", code(*ground)),
    };
    if rulings.is_empty() { "fine".to_owned() } else { rulings.iter().map(one).collect::<Vec<_>>().join("; ") }
}

fn yes(condition: bool) -> String {
    if condition { "yes" } else { "no" }.to_owned()
}

/// Rows of one key, where all answers are the same, become one row.
fn matrix(
    rule: &'static str,
    title: &'static str,
    heads: &[&'static str],
    rows: impl IntoIterator<Item = (Vec<String>, Vec<Ruling>)>,
) -> Table {
    let mut heads = heads.to_vec();
    heads.push("verdict");
    let written = |(mut words, rulings): (Vec<String>, Vec<Ruling>)| {
        words.push(said(&rulings));
        words
    };
    Table { rule, title, heads, rows: rows.into_iter().map(written).collect() }
}

fn door(door: OrderDoor) -> &'static str {
    match door {
        OrderDoor::Portal => "portal",
        OrderDoor::ApiUser => "API, user",
        OrderDoor::ApiApp => "API, application",
    }
}

const DOORS: [OrderDoor; 3] = [OrderDoor::Portal, OrderDoor::ApiUser, OrderDoor::ApiApp];
const ROLES: [(AttesterRole, &str); 3] = [
    (AttesterRole::AdminAgent, "admin agent"),
    (AttesterRole::SalesAgent, "sales agent"),
    (AttesterRole::Other, "other"),
];

/// Classes by what one rule says of each, put together where it says the same.
fn by_class(words: &[String], rule: impl Fn(Class) -> Vec<Ruling>) -> Vec<(Vec<String>, Vec<Ruling>)> {
    let mut groups: Vec<(Vec<&'static str>, Vec<Ruling>)> = Vec::new();
    for class in Class::ALL {
        let rulings = rule(*class);
        match groups.iter_mut().find(|(_, said)| *said == rulings) {
            Some((classes, _)) => classes.push(class.text()),
            None => groups.push((vec![class.text()], rulings)),
        }
    }
    let whole = groups.len() == 1;
    let row = |(classes, rulings): (Vec<&'static str>, Vec<Ruling>)| {
        let mut words = words.to_vec();
        words.push(if whole { "any".to_owned() } else { classes.join(", ") });
        (words, rulings)
    };
    groups.into_iter().map(row).collect()
}

/// The same by kind of order.
fn by_kind(words: &[String], rule: impl Fn(OrderKind) -> Vec<Ruling>) -> Vec<(Vec<String>, Vec<Ruling>)> {
    let mut groups: Vec<(Vec<&'static str>, Vec<Ruling>)> = Vec::new();
    for kind in OrderKind::ALL {
        let rulings = rule(kind);
        match groups.iter_mut().find(|(_, said)| *said == rulings) {
            Some((kinds, _)) => kinds.push(kind.text()),
            None => groups.push((vec![kind.text()], rulings)),
        }
    }
    let whole = groups.len() == 1;
    let row = |(kinds, rulings): (Vec<&'static str>, Vec<Ruling>)| {
        let mut words = words.to_vec();
        words.push(if whole { "any".to_owned() } else { kinds.join(", ") });
        (words, rulings)
    };
    groups.into_iter().map(row).collect()
}

/// What each kind of partner may do at all.
#[must_use]
pub fn rights() -> Table {
    let rows = Seller::ALL.iter().filter(|seller| **seller != Seller::Unknown).map(|seller| {
        let rights = rules::rights(*seller);
        let cells = [rights.billed, rights.orders, rights.attests, rights.earns].map(yes);
        std::iter::once(seller.text().to_owned()).chain(cells).collect()
    });
    let heads = vec!["partner", "billed by Microsoft", "orders", "attests the customer agreement", "receives credit"];
    Table { rule: "CHN-1", title: "Roles", heads, rows: rows.collect() }
}

/// Every table, in order of the rules.
#[must_use]
pub fn tables() -> Vec<Table> {
    let mut tables = parties();
    tables.extend(agreements());
    tables.extend(buyers());
    tables.extend(commerce());
    tables.extend(moves());
    tables.extend(afterwards());
    tables
}

fn parties() -> Vec<Table> {
    let both = [false, true];
    let role = Seller::ALL.iter().flat_map(|seller| {
        both.into_iter().flat_map(move |named| {
            by_class(&[seller.text().to_owned(), yes(named)], |class| rules::role(*seller, class, named))
        })
    });
    let standing = State::ALL.iter().flat_map(|state| {
        // Only a suspended or revoked partner's rest is the policy's.
        let asked = if *state >= State::Suspended { Left::ALL } else { &[Left::Nothing] };
        asked.iter().flat_map(|left| {
            let says = if *state >= State::Suspended { left.text() } else { "-" };
            let words = [state.text().to_owned(), says.to_owned()];
            by_class(&words, |class| rules::standing(*state, *left, class))
        })
    });
    vec![
        matrix("CHN-1", "Who may order", &["who", "names a reseller", "order"], role),
        matrix("CHN-2", "Restricted, suspended, revoked", &["state", "policy leaves", "order"], standing),
    ]
}

fn agreements() -> Vec<Table> {
    let agreement = Era::ALL.iter().flat_map(|era| {
        [false, true].into_iter().flat_map(move |agreed| {
            by_kind(&[era.text().to_owned(), yes(agreed)], |kind| rules::agreement(kind, *era, agreed))
        })
    });
    let attestation = Seller::ALL.iter().flat_map(|seller| {
        ROLES.iter().flat_map(move |(role, word)| {
            [(false, Prior::None), (true, Prior::None), (false, Prior::SameContact), (false, Prior::OtherContact)].map(
                |(future, prior)| {
                    let words =
                        vec![seller.text().to_owned(), (*word).to_owned(), yes(future), prior.text().to_owned()];
                    (words, rules::attestation(*seller, *role, future, prior))
                },
            )
        })
    });
    let signatures = [
        (false, Signed::No, Signed::No),
        (true, Signed::Yes, Signed::NotNamed),
        (true, Signed::Yes, Signed::Yes),
        (true, Signed::Yes, Signed::No),
        (true, Signed::No, Signed::Yes),
        (true, Signed::No, Signed::No),
    ];
    let partner = signatures.into_iter().flat_map(|(due, own, other)| {
        by_class(&[yes(due), own.text().to_owned(), other.text().to_owned()], |class| {
            rules::partner_agreement(class, due, own, other)
        })
    });
    let reseller = PartnerId::ALL.iter().flat_map(|id| {
        Qualified::ALL.iter().flat_map(move |qualified| {
            Bond::ALL.iter().map(move |link| {
                let words = vec![id.text().to_owned(), qualified.text().to_owned(), link.text().to_owned()];
                (words, rules::reseller(*id, *qualified, *link))
            })
        })
    });
    let security = MfaEra::ALL.iter().flat_map(|era| {
        Posture::ALL.iter().flat_map(move |posture| {
            DOORS.into_iter().flat_map(move |by| {
                let words = [era.text().to_owned(), posture.text().to_owned(), door(by).to_owned()];
                by_class(&words, |class| rules::security(*era, *posture, class, by))
            })
        })
    });
    vec![
        matrix("CHN-3", "The customer agreement", &["day", "agreed", "order"], agreement),
        matrix("CHN-4", "Attesting it", &["who", "user", "date to come", "earlier attestation"], attestation),
        matrix("CHN-5", "The partner agreement", &["due", "own", "reseller's", "order"], partner),
        matrix("CHN-6", "The reseller", &["PartnerID", "enrolled and onboarded", "partnership"], reseller),
        matrix("CHN-7", "A second factor for every user", &["day", "posture", "door", "order"], security),
    ]
}

fn buyers() -> Vec<Table> {
    let tenant = Tenant::ALL.iter().flat_map(|tenant| {
        [(Seller::DirectBill, false), (Seller::Provider, true), (Seller::Provider, false)].into_iter().flat_map(
            move |(seller, named)| {
                let words = [tenant.text().to_owned(), seller.text().to_owned(), yes(named)];
                by_class(&words, |class| rules::tenant(*tenant, seller, named, class))
            },
        )
    });
    let kinship = Kinship::ALL
        .iter()
        .flat_map(|kinship| by_class(&[kinship.text().to_owned()], |class| rules::kinship(*kinship, class)));
    let own = Bond::ALL
        .iter()
        .flat_map(|bond| by_class(&[bond.text().to_owned()], |class| rules::own_reseller(*bond, class)));
    let region =
        Place::ALL.iter().flat_map(|place| by_class(&[place.text().to_owned()], |class| rules::region(*place, class)));
    let sellers = [Seller::Provider, Seller::Reseller, Seller::DirectBill, Seller::Other, Seller::Unknown];
    let partnership = sellers.into_iter().flat_map(|one| {
        sellers.into_iter().flat_map(move |other| {
            [true, false].map(|same| {
                let words = vec![one.text().to_owned(), other.text().to_owned(), yes(same)];
                (words, rules::partnership(one, other, same))
            })
        })
    });
    let beside = Beside::ALL
        .iter()
        .flat_map(|beside| by_class(&[beside.text().to_owned()], |class| rules::beside(*beside, class)));
    let relationship = Bond::ALL
        .iter()
        .flat_map(|bond| by_class(&[bond.text().to_owned()], |class| rules::relationship(*bond, class)));
    let term =
        Term::ALL.iter().flat_map(|term| by_kind(&[term.text().to_owned()], |kind| rules::licence_term(kind, *term)));
    let several = [false, true]
        .into_iter()
        .flat_map(|others| by_class(&[yes(others)], move |class| rules::several_partners(others, class)));
    vec![
        matrix("CHN-8", "The buying tenant", &["tenant", "seller", "names a reseller", "order"], tenant),
        matrix("CHN-9", "Selling to oneself", &["buyer and seller", "order"], kinship),
        matrix("CHN-10", "A reseller of the same provider as buyer", &["their partnership", "order"], own),
        matrix("CHN-11", "The customer's region", &["customer's country", "order"], region),
        matrix("CHN-12", "Provider and reseller", &["one", "other", "same region"], partnership),
        matrix("CHN-12", "A reseller of another region on an order", &["reseller's region", "order"], beside),
        matrix("CHN-13", "The customer's consent", &["relationship", "order"], relationship),
        matrix("CHN-14", "Several partners", &["buys from others", "order"], several),
        matrix("CHN-14", "Licences that change the partner", &["their term", "order"], term),
    ]
}

fn commerce() -> Vec<Table> {
    let market = Listed::ALL.iter().flat_map(|authorised| {
        Listed::ALL.iter().flat_map(move |list| {
            by_kind(&[authorised.text().to_owned(), list.text().to_owned()], |kind| {
                rules::market(kind, *authorised, *list)
            })
        })
    });
    let credit = Credit::ALL
        .iter()
        .flat_map(|credit| by_class(&[credit.text().to_owned()], |class| rules::credit(*credit, class)));
    let plan = Azure::ALL.iter().flat_map(|azure| {
        [true, false].into_iter().flat_map(move |open| {
            by_kind(&[azure.text().to_owned(), yes(open)], |kind| rules::plan(kind, *azure, open))
        })
    });
    vec![
        matrix("CHN-15", "Markets", &["partner's markets", "Azure plan's countries", "order"], market),
        matrix("CHN-16", "Credit limit", &["available", "order"], credit),
        matrix("CHN-17", "Plan and classic offer", &["customer has here", "before 2021-07-21", "order"], plan),
    ]
}

fn moves() -> Vec<Table> {
    let transition = Azure::ALL.iter().flat_map(|azure| {
        [false, true].into_iter().flat_map(move |suspended| {
            Moving::ALL.iter().flat_map(move |moving| {
                let words = [azure.text().to_owned(), yes(suspended), moving.text().to_owned()];
                by_class(&words, |class| rules::transition(class, *azure, suspended, *moving))
            })
        })
    });
    let transfer = Azure::ALL.iter().flat_map(|azure| {
        Source::ALL.iter().flat_map(move |source| {
            let words = [azure.text().to_owned(), source.text().to_owned()];
            by_kind(&words, |kind| rules::transfer(kind, *azure, *source))
        })
    });
    let location = Location::ALL.iter().map(|location| (vec![location.text().to_owned()], rules::location(*location)));
    let heads = ["customer has here", "one suspended", "transition", "order"];
    vec![
        matrix("CHN-18", "Transition from 0145P", &heads, transition),
        matrix(
            "CHN-19",
            "Transfer from another partner",
            &["future partner has", "current partner", "order"],
            transfer,
        ),
        matrix("CHN-20", "Which PartnerID", &["PartnerID"], location),
    ]
}

/// What follows afterwards: no verdict on an order, but a finding or an answer.
fn afterwards() -> Vec<Table> {
    let table = |rule, title, heads: &[&'static str], rows: Vec<Vec<String>>| {
        let heads = heads.iter().copied().chain(["what follows"]).collect();
        Table { rule, title, heads, rows }
    };
    let attached = Attached::ALL.iter().flat_map(|attached| {
        ByThen::ALL.iter().map(|qualified| {
            let follows = match aftermath::attachment(*attached, *qualified) {
                Attachment::Fine => "its access earns",
                Attachment::Untold => "finding F-reseller-untold; its access earns",
                Attachment::TooEarly => "finding F-unqualified-reseller; its access earns once it qualifies",
            };
            vec![attached.text().to_owned(), qualified.text().to_owned(), follows.to_owned()]
        })
    });
    let used = Made::ALL.iter().map(|made| {
        let follows =
            if aftermath::never_accepted(*made) { "finding F-not-accepted for each order" } else { "nothing" };
        vec![made.text().to_owned(), follows.to_owned()]
    });
    let answers = Given::ALL.iter().map(|given| {
        let follows = match aftermath::answer_due(*given) {
            Due::Nothing => "nothing",
            Due::FirstAnswer => "an answer",
            Due::AnotherAnswer => "another answer, which names the first",
        };
        vec![given.text().to_owned(), follows.to_owned()]
    });
    let what = Thing::ALL.iter().map(|thing| {
        let goes_on = |bond| if super::stays(*thing, bond) { "yes" } else { "no" };
        vec![thing.text().to_owned(), goes_on(Bond::Standing).to_owned(), goes_on(Bond::Ended).to_owned()]
    });
    let heads = vec!["what", "while it stands", "after it ended"];
    vec![
        Table { rule: "CHN-13", title: "What stays when a relationship ends", heads, rows: what.collect() },
        table("CHN-21", "A reseller attached before it qualified", &["attached", "qualified"], attached.collect()),
        table("CHN-22", "Usage on what was never accepted", &["orders of the plan or subscription"], used.collect()),
        table("CHN-23", "Answers as events", &["answer given last"], answers.collect()),
    ]
}
