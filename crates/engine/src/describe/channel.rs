//! Events of the channel in words.

use domain::entry::{ChannelEvent, MarketOffer, MfaMethod, TenantUse, TransitionState};

use super::at;

/// The kind in two or three words.
pub(super) fn kind(event: &ChannelEvent) -> &'static str {
    match event {
        ChannelEvent::CustomerDesignated(_) => "customer designated",
        ChannelEvent::CustomerAffiliated(_) => "customer affiliated",
        ChannelEvent::AgreementAttested(_) => "agreement attested",
        ChannelEvent::AgreementAccepted(_) => "agreement accepted",
        ChannelEvent::RelationshipEstablished(_) => "relationship established",
        ChannelEvent::RelationshipEnded(_) => "relationship ended",
        ChannelEvent::TransitionStated(_) => "transition stated",
        ChannelEvent::OrderRequested(_) => "order requested",
        ChannelEvent::PartnershipEstablished(_) => "partnership established",
        ChannelEvent::PartnershipEnded(_) => "partnership ended",
        ChannelEvent::PartnerAgreementSigned(_) => "partner agreement signed",
        ChannelEvent::PartnerRestricted(_) => "partner restricted",
        ChannelEvent::PartnerSuspended(_) => "partner suspended",
        ChannelEvent::PartnerRevoked(_) => "partner revoked",
        ChannelEvent::PostureStated(_) => "security posture stated",
        ChannelEvent::ResellerEnrolled(_) => "reseller enrolled",
        ChannelEvent::ResellerOnboarded(_) => "reseller onboarded",
        ChannelEvent::MarketAuthorised(_) => "market authorised",
        ChannelEvent::CreditStated(_) => "credit limit stated",
        ChannelEvent::OrderAnswered(_) => "order answered",
    }
}

/// The rule that reads such an event.
pub(super) fn rule(event: &ChannelEvent) -> &'static str {
    match event {
        ChannelEvent::CustomerDesignated(_) => "CHN-8",
        ChannelEvent::CustomerAffiliated(_) => "CHN-9",
        ChannelEvent::AgreementAttested(_) => "CHN-4",
        ChannelEvent::AgreementAccepted(_) => "CHN-3",
        ChannelEvent::RelationshipEstablished(_) | ChannelEvent::RelationshipEnded(_) => "CHN-13",
        ChannelEvent::TransitionStated(_) => "CHN-18",
        ChannelEvent::PartnershipEstablished(_) | ChannelEvent::PartnershipEnded(_) => "CHN-12",
        ChannelEvent::PartnerAgreementSigned(_) => "CHN-5",
        ChannelEvent::PartnerRestricted(_) | ChannelEvent::PartnerSuspended(_) | ChannelEvent::PartnerRevoked(_) => {
            "CHN-2"
        }
        ChannelEvent::PostureStated(_) => "CHN-7",
        ChannelEvent::ResellerEnrolled(_) | ChannelEvent::ResellerOnboarded(_) => "CHN-6",
        ChannelEvent::MarketAuthorised(_) => "CHN-15",
        ChannelEvent::CreditStated(_) => "CHN-16",
        ChannelEvent::OrderRequested(_) | ChannelEvent::OrderAnswered(_) => "CHN-23",
    }
}

/// What the event says, in one line.
pub(super) fn event(event: &ChannelEvent) -> String {
    match event {
        ChannelEvent::CustomerDesignated(body) => {
            let used_as = match body.used_as {
                TenantUse::Csp => "a partner's CSP tenant",
                TenantUse::Customer => "a customer's tenant",
                TenantUse::Internal => "a partner's own customer-type tenant",
            };
            format!("tenant {} is {used_as} from {}", body.customer, at(body.at))
        }
        ChannelEvent::CustomerAffiliated(body) => {
            format!("customer {} is affiliated to {} from {}", body.customer, body.partner, at(body.at))
        }
        ChannelEvent::AgreementAttested(body) => format!(
            "{} attests that customer {} agreed on {}, attested {}",
            body.partner,
            body.customer,
            at(body.agreed_at),
            at(body.at)
        ),
        ChannelEvent::AgreementAccepted(body) => {
            format!("customer {} accepted the agreement for {} at {}", body.customer, body.partner, at(body.at))
        }
        ChannelEvent::RelationshipEstablished(body) => {
            format!("customer {} may buy from {} from {}", body.customer, body.partner, at(body.at))
        }
        ChannelEvent::RelationshipEnded(body) => {
            format!("customer {} no longer buys from {} from {}", body.customer, body.partner, at(body.at))
        }
        ChannelEvent::TransitionStated(body) => {
            let state = match body.state {
                TransitionState::Pending => "waits",
                TransitionState::InProgress => "is in progress",
                TransitionState::Failed => "failed",
                TransitionState::Completed => "is complete",
            };
            format!("the transition of customer {} with {} {state} at {}", body.customer, body.partner, at(body.at))
        }
        ChannelEvent::OrderRequested(body) => format!(
            "order {}: {} for customer {} by {} at {}",
            body.order,
            body.kind.text(),
            body.customer,
            body.partner,
            at(body.at)
        ),
        ChannelEvent::OrderAnswered(body) => {
            let codes: Vec<&str> = body.reasons.iter().map(|reason| &*reason.code).collect();
            let verdict = if body.accepted { "accepted".to_owned() } else { format!("refused: {}", codes.join(", ")) };
            format!("order {} {verdict}", body.order)
        }
        other => of_partner(other),
    }
}

fn of_partner(event: &ChannelEvent) -> String {
    match event {
        ChannelEvent::PartnershipEstablished(body) => {
            format!("provider {} works with reseller {} from {}", body.provider, body.reseller, at(body.at))
        }
        ChannelEvent::PartnershipEnded(body) => {
            format!("provider {} no longer works with reseller {} from {}", body.provider, body.reseller, at(body.at))
        }
        ChannelEvent::PartnerAgreementSigned(body) => {
            format!("{} signed the partner agreement for {} on {}", body.partner, body.region, at(body.at))
        }
        ChannelEvent::PartnerRestricted(body)
        | ChannelEvent::PartnerSuspended(body)
        | ChannelEvent::PartnerRevoked(body) => {
            format!("{} {} from {}: {}", body.partner, kind(event), at(body.at), body.reason)
        }
        ChannelEvent::PostureStated(body) => {
            let method = match body.method {
                MfaMethod::SecurityDefaults => "security defaults",
                MfaMethod::ConditionalAccess => "conditional access",
                MfaMethod::ThirdParty => "a third party's product",
                MfaMethod::None => "nothing",
            };
            let whom = if body.every_user { "every user" } else { "not every user" };
            format!("{} uses {method} for {whom} from {}", body.partner, at(body.at))
        }
        ChannelEvent::ResellerEnrolled(body) => format!("{} enrolled as reseller on {}", body.partner, at(body.at)),
        ChannelEvent::ResellerOnboarded(body) => {
            let by = body.partner_id.as_ref().map(|id| format!(" with PartnerID {id}")).unwrap_or_default();
            format!("{} onboarded{by} on {}", body.partner, at(body.at))
        }
        ChannelEvent::MarketAuthorised(body) => {
            let offer = match body.offer {
                MarketOffer::Csp => "everything",
                MarketOffer::AzurePlan => "the Azure plan",
            };
            let whom = body.partner.map_or_else(|| "every partner".to_owned(), |partner| partner.to_string());
            format!("{whom} may sell {offer} in {} from {}", body.market, at(body.at))
        }
        ChannelEvent::CreditStated(body) => {
            format!("{}: {} of {} USD outstanding at {}", body.partner, body.outstanding, body.limit, at(body.at))
        }
        other => kind(other).to_owned(),
    }
}
