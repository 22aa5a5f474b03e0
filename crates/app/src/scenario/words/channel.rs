//! Words about the channel: who may sell to whom, and orders.

use anyhow::{Context as _, bail};
use domain::entry::{
    AgreementAccepted, AgreementAttested, Attestation, AttesterRole, ChannelEvent, Contact, CreditStated,
    CustomerAffiliated, CustomerDesignated, Dated, Event, MarketAuthorised, MarketOffer, MfaMethod, OrderDoor,
    OrderKind, OrderRequested, PartnerAgreementSigned, PartnerKind, PartnerRegistered, PartnerStanding, Partnership,
    PostureStated, RelationshipEnded, RelationshipEstablished, ResellerEnrolled, ResellerOnboarded, TenantUse,
    TransitionState, TransitionStated,
};
use domain::ids::{Currency, Guid, Market};
use domain::period::Instant;
use domain::regions::Region;

use crate::scenario::reading::Line;
use crate::scenario::stage::{decimal, guid, instant, partner_id};

pub(super) const WORDS: &[&str] = &[
    "partner",
    "designate",
    "affiliate",
    "attest",
    "agree",
    "relate",
    "part",
    "partnership",
    "unpartner",
    "sign",
    "restrict-partner",
    "suspend-partner",
    "revoke-partner",
    "posture",
    "enrol",
    "onboard",
    "market",
    "credit-limit",
    "transition-state",
    "order",
];

/// A PartnerID of the cast, or of a partner that the scenario registers.
fn any_partner_id(name: &str) -> Box<str> {
    partner_id(name).unwrap_or_else(|_| format!("P-{name}").into())
}

impl Line<'_> {
    /// The PartnerID of somebody of the cast, of a partner that a line introduced, or as it is written out.
    pub(super) fn partner_id_of(&self, name: &str) -> anyhow::Result<Box<str>> {
        partner_id(name).or_else(|unknown| match self.names.known(name) {
            Ok(_) => Ok(any_partner_id(name)),
            Err(_) => Err(unknown),
        })
    }

    pub(super) fn channel(&self) -> anyhow::Result<Event> {
        let at = self.at;
        Ok(Event::from(match self.what {
            "partner" => return Ok(Event::PartnerRegistered(self.registered()?)),
            "designate" => ChannelEvent::CustomerDesignated(CustomerDesignated {
                customer: self.party(0)?,
                used_as: match self.column(1, "csp, customer or internal")? {
                    "csp" => TenantUse::Csp,
                    "customer" => TenantUse::Customer,
                    "internal" => TenantUse::Internal,
                    other => bail!("`{other}` is none of csp, customer, internal"),
                },
                owner: self.party_named("owner")?,
                at,
            }),
            "affiliate" => ChannelEvent::CustomerAffiliated(CustomerAffiliated {
                customer: self.party(0)?,
                partner: self.party(1)?,
                at,
                until: self.time("until")?,
            }),
            "attest" => {
                let attestation = self.attestation()?;
                ChannelEvent::AgreementAttested(AgreementAttested {
                    customer: self.party(0)?,
                    partner: self.party(1)?,
                    contact: attestation.contact,
                    role: attestation.role,
                    template: "117a77b0-9360-443b-8795-c6dedc750cf9".into(),
                    agreed_at: attestation.agreed_at,
                    at,
                })
            }
            "agree" => {
                let (customer, partner) = (self.party(0)?, self.party(1)?);
                ChannelEvent::AgreementAccepted(AgreementAccepted { customer, partner, at })
            }
            "relate" => ChannelEvent::RelationshipEstablished(RelationshipEstablished {
                customer: self.party(0)?,
                partner: self.party(1)?,
                reseller: self.party_named("through")?,
                delegated_rights: self.rest.contains(&"delegated"),
                at,
            }),
            "part" => {
                let (customer, partner) = (self.party(0)?, self.party(1)?);
                ChannelEvent::RelationshipEnded(RelationshipEnded { customer, partner, at })
            }
            "transition-state" => ChannelEvent::TransitionStated(TransitionStated {
                customer: self.party(0)?,
                partner: self.party(1)?,
                state: match self.column(2, "a state")? {
                    "pending" => TransitionState::Pending,
                    "in-progress" => TransitionState::InProgress,
                    "failed" => TransitionState::Failed,
                    "completed" => TransitionState::Completed,
                    other => bail!("`{other}` is no state: pending, in-progress, failed, completed"),
                },
                at,
            }),
            "order" => ChannelEvent::OrderRequested(self.order()?),
            _ => self.of_partner()?,
        }))
    }

    fn of_partner(&self) -> anyhow::Result<ChannelEvent> {
        let at = self.at;
        let standing = |partner| PartnerStanding { partner, reason: "the scenario says so".into(), at };
        Ok(match self.what {
            "partnership" | "unpartner" => {
                let link = Partnership { provider: self.party(0)?, reseller: self.party(1)?, at };
                if self.what == "partnership" {
                    ChannelEvent::PartnershipEstablished(link)
                } else {
                    ChannelEvent::PartnershipEnded(link)
                }
            }
            "sign" => {
                let name = self.column(1, "a region")?;
                let region = Region::parse(name).with_context(|| format!("`{name}` is no region such as europe"))?;
                let partner = self.party(0)?;
                ChannelEvent::PartnerAgreementSigned(PartnerAgreementSigned { partner, region, at })
            }
            "restrict-partner" => ChannelEvent::PartnerRestricted(standing(self.party(0)?)),
            "suspend-partner" => ChannelEvent::PartnerSuspended(standing(self.party(0)?)),
            "revoke-partner" => ChannelEvent::PartnerRevoked(standing(self.party(0)?)),
            "posture" => ChannelEvent::PostureStated(PostureStated {
                partner: self.party(0)?,
                method: match self.column(1, "a method")? {
                    "security-defaults" => MfaMethod::SecurityDefaults,
                    "conditional-access" => MfaMethod::ConditionalAccess,
                    "third-party" => MfaMethod::ThirdParty,
                    "none" => MfaMethod::None,
                    other => bail!("`{other}` is no method: security-defaults, conditional-access, third-party, none"),
                },
                every_user: !self.rest.contains(&"not-every-user"),
                at,
            }),
            "enrol" => ChannelEvent::ResellerEnrolled(ResellerEnrolled { partner: self.party(0)?, at }),
            "onboard" => ChannelEvent::ResellerOnboarded(ResellerOnboarded {
                partner: self.party(0)?,
                partner_id: self.named.get("id").map(|id| (*id).into()),
                at,
            }),
            "market" => ChannelEvent::MarketAuthorised(MarketAuthorised {
                partner: self.party_named("for")?,
                market: market(self.column(0, "a market")?)?,
                offer: match self.column(1, "csp or azure-plan")? {
                    "csp" => MarketOffer::Csp,
                    "azure-plan" => MarketOffer::AzurePlan,
                    other => bail!("`{other}` is neither csp nor azure-plan"),
                },
                at,
                until: self.time("until")?,
            }),
            "credit-limit" => ChannelEvent::CreditStated(CreditStated {
                partner: self.party(0)?,
                limit: self.decimal(1)?,
                outstanding: self.decimal(2)?,
                at,
            }),
            other => bail!("`{other}` is no word about the channel"),
        })
    }

    fn party(&self, number: usize) -> anyhow::Result<Guid> {
        self.names.known(self.column(number, "a party")?)
    }

    fn party_named(&self, name: &str) -> anyhow::Result<Option<Guid>> {
        self.named.get(name).map(|name| self.names.known(name)).transpose()
    }

    /// A partner beside the cast: its PartnerID is `P-name`, and `P-name-CC` for each further country.
    fn registered(&self) -> anyhow::Result<PartnerRegistered> {
        let name = self.column(0, "a name")?;
        let kind = match self.column(1, "a kind")? {
            "direct-bill" => PartnerKind::DirectBill,
            "provider" => PartnerKind::Provider,
            "reseller" => PartnerKind::Reseller,
            "other" => PartnerKind::Other,
            other => bail!("`{other}` is no kind: direct-bill, provider, reseller, other"),
        };
        let organisation =
            self.named.get("organisation").map_or_else(|| format!("org-{name}"), |of| format!("org-{of}"));
        let until = self.time("until")?;
        Ok(PartnerRegistered {
            tenant: self.party(0)?,
            name: name.into(),
            organisation: organisation.into(),
            kind,
            country: market(self.column(2, "a country")?)?,
            billing_currency: match self.named.get("currency") {
                None => Currency::USD,
                Some(text) => Currency::parse(text).with_context(|| format!("`{text}` is no currency"))?,
            },
            partner_ids: self.partner_ids(name, until),
            admin_agents: if self.rest.contains(&"without-agents") {
                Vec::new()
            } else {
                vec![Dated { value: guid(&format!("{name}/admin-agents")), since: None, until: None }]
            },
            helpdesk_agents: Vec::new(),
            managing_tenants: Vec::new(),
            identities: Vec::new(),
            at: self.at,
        })
    }

    /// Its own PartnerID, and by `also=` one more at the same time.
    fn partner_ids(&self, name: &str, until: Option<Instant>) -> Vec<Dated<Box<str>>> {
        let also = self.named.get("also").map(|id| any_partner_id(id));
        let dated = |value| Dated { value, since: None, until };
        std::iter::once(any_partner_id(name)).chain(also).map(dated).collect()
    }

    fn attestation(&self) -> anyhow::Result<Attestation> {
        let person = self.named.get("contact").copied().unwrap_or("Frida");
        let role = match self.named.get("role").copied() {
            None | Some("admin-agent") => AttesterRole::AdminAgent,
            Some("sales-agent") => AttesterRole::SalesAgent,
            Some("other") => AttesterRole::Other,
            Some(other) => bail!("`role={other}`: there are admin-agent, sales-agent and other"),
        };
        let contact = Contact {
            first_name: person.into(),
            last_name: "Lund".into(),
            email: format!("{}@acme.example", person.to_lowercase()).into(),
            phone: None,
        };
        let agreed_at = self.named.get("agreed").map(|text| instant(text)).transpose()?.unwrap_or(self.at);
        Ok(Attestation { contact, role, agreed_at })
    }

    fn order(&self) -> anyhow::Result<OrderRequested> {
        let kind = self.column(1, "a kind of order")?;
        let kind = OrderKind::ALL
            .into_iter()
            .find(|one| one.text() == kind)
            .with_context(|| format!("`{kind}` is no kind of order"))?;
        let door = match self.named.get("door").copied() {
            None | Some("portal") => OrderDoor::Portal,
            Some("api-user") => OrderDoor::ApiUser,
            Some("api-app") => OrderDoor::ApiApp,
            Some(other) => bail!("`door={other}`: there are portal, api-user and api-app"),
        };
        let attests = kind == OrderKind::Attestation && !self.rest.contains(&"nobody");
        Ok(OrderRequested {
            order: self.column(0, "a name")?.into(),
            kind,
            customer: self.party(2)?,
            partner: self.party(3)?,
            reseller: self.named.get("reseller").map(|name| any_partner_id(name)),
            counterpart: self.party_named("with")?,
            plan: self.party_named("plan")?,
            subscription: self.party_named("subscription")?,
            amount: self.named.get("amount").map(|text| decimal(text)).transpose()?,
            door,
            attestation: if attests { Some(self.attestation()?) } else { None },
            at: self.at,
            term_ends_at: self.time("term-ends")?,
        })
    }
}

fn market(text: &str) -> anyhow::Result<Market> {
    Market::parse(text).with_context(|| format!("`{text}` is no market such as DE"))
}
