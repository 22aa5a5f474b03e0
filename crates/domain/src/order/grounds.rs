//! Why an order is refused, or accepted with a remark: one table.
//!
//! A ground has a stable code, the rule it comes from, Microsoft's own number where there is one,
//! and what to do instead. Whether it refuses is the rule's to say: the same missing protection is
//! a remark before its technical date and a refusal from then on.

macro_rules! grounds {
    ($($name:ident $text:literal $rule:literal $error:expr, $meaning:literal [$($instead:literal),*];)*) => {
        /// Every ground there is.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Ground { $(#[doc = $meaning] $name,)* }

        impl Ground {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable code.
            #[must_use]
            pub fn text(self) -> &'static str { match self { $(Self::$name => $text,)* } }

            /// The rule of `docs/rules.md` that it comes from.
            #[must_use]
            pub fn rule(self) -> &'static str { match self { $(Self::$name => $rule,)* } }

            /// Where that rule comes from: page and date.
            #[must_use]
            pub fn source(self) -> &'static str { super::sources::of(self.rule()) }

            /// Microsoft's own error number, where there is one.
            #[must_use]
            pub fn error(self) -> Option<&'static str> { match self { $(Self::$name => $error,)* } }

            /// What is wrong, in a sentence.
            #[must_use]
            pub fn meaning(self) -> &'static str { match self { $(Self::$name => $meaning,)* } }

            /// What to do instead.
            #[must_use]
            pub fn instead(self) -> &'static [&'static str] { match self { $(Self::$name => &[$($instead),*],)* } }
        }
    };
}

/// An order says the first, the check of the reseller's signature by its PartnerID the second.
const RESELLER_UNSIGNED: Option<&str> = Some("900123 (2203)");

grounds! {
    PartnerUnknown "partner-unknown" "CHN-1" None, "The tenant that orders was never registered as a partner." ["publish partner registered for that tenant"];
    ResellerOrders "reseller-cannot-order" "CHN-1" None, "An indirect reseller has no billing relationship with Microsoft and cannot order." ["order through one of its providers, with the reseller's PartnerID on the order"];
    PartnerType "partner-type" "CHN-1" None, "Advisors and control panel vendors neither order nor are billed." ["order through a direct-bill partner, or a provider and its reseller"];
    NoReseller "no-reseller" "CHN-1" None, "A provider sells through a reseller, and the order names none." ["name the reseller's PartnerID on the order", "buy from a direct-bill partner"];
    ResellerNotExpected "reseller-not-expected" "CHN-1" None, "A direct-bill partner sells by itself; the order names a reseller." ["leave the PartnerID out", "order through a provider of that reseller"];

    Restricted "restricted" "CHN-2" None, "The partner is restricted: nothing new may be bought, nobody new may be invited." ["meet the requirements and be reinstated", "let renewals and running usage go on meanwhile"];
    Suspended "suspended" "CHN-2" None, "The partner is suspended, and this is not among what is left to it." ["meet the requirements and be reinstated", "let the customer transfer to another partner"];
    Revoked "revoked" "CHN-2" None, "The partner's authorisation is revoked, and this is not among what is left to it." ["let the customer transfer to another partner", "enrol as an indirect reseller"];

    AgreementMissing "agreement-missing" "CHN-3" Some("13605"), "No customer agreement towards this partner is known at that instant." ["attest the customer's agreement (admin or sales agent)", "let the customer accept it in the Microsoft 365 admin center"];
    AttesterType "attester-type" "CHN-4" None, "Only a direct-bill partner or a provider can attest the customer agreement." ["let the provider attest"];
    AttesterRole "attester-role" "CHN-4" None, "Only an admin agent or a sales agent can attest the customer agreement." ["let an admin agent or a sales agent attest"];
    AgreementInFuture "agreement-in-future" "CHN-4" None, "The date of the agreement lies after the attestation." ["state the day on which the customer agreed"];
    NoContact "no-contact" "CHN-4" None, "An attestation names the person who agreed; the order names nobody." ["state first name, last name and e-mail of the person who agreed"];
    AlreadyAttested "already-attested" "CHN-4" Some("600061"), "The agreement is attested already with the same name, e-mail and phone." ["do nothing: an attestation does not expire", "attest again only when contact data changed"];

    OwnAgreement "partner-agreement-missing" "CHN-5" Some("900124"), "The partner has not signed the partner agreement for its region." ["let a global admin of the CSP tenant sign the Microsoft Partner Agreement"];
    ResellerAgreement "reseller-agreement-missing" "CHN-5" RESELLER_UNSIGNED, "The reseller has not signed the partner agreement for its region." ["let a global admin of the reseller's CSP tenant sign the Microsoft Partner Agreement"];
    OtherAgreement "reseller-agreement-missing" "CHN-5" Some("2206"), "The other side of the partnership has not signed the partner agreement for its region." ["let a global admin of its CSP tenant sign the Microsoft Partner Agreement"];

    ResellerUnknown "reseller-unknown" "CHN-6" Some("2200"), "The PartnerID belongs to no registered partner." ["publish partner registered with that PartnerID", "correct the PartnerID"];
    ResellerInactive "reseller-inactive" "CHN-6" None, "The PartnerID is not active at that instant." ["use the reseller's active location PartnerID"];
    ResellerNotOnboarded "reseller-not-onboarded" "CHN-6" Some("2200"), "The reseller is not onboarded in Partner Center." ["let the reseller onboard in Partner Center"];
    ResellerNotEnrolled "reseller-not-enrolled" "CHN-6" Some("2204"), "The partner is not enrolled as an indirect reseller." ["let the reseller enrol as an indirect reseller"];
    ResellerUntold "reseller-untold" "CHN-6" None, "Nothing is known of the reseller's enrolment, onboarding and agreement; it counts as qualified." ["publish reseller enrolled, reseller onboarded and partner agreement signed"];
    NotLinked "not-linked" "CHN-6" None, "The provider and the reseller have no partnership at that instant." ["establish the provider-reseller partnership first"];

    MfaDue "mfa-due" "CHN-7" None, "Not every user proves itself by a second factor; the contract requires it already." ["turn on security defaults", "enforce it by conditional access", "use a third party's product for every user"];
    MfaMissing "mfa-missing" "CHN-7" None, "Not every user proves itself by a second factor: the partner cannot transact." ["turn on security defaults", "enforce it by conditional access", "use a third party's product for every user"];
    MfaMissingApi "mfa-missing-api" "CHN-7" Some("401"), "Not every user proves itself by a second factor: the call in a user's name is refused." ["turn on security defaults", "enforce it by conditional access", "use a third party's product for every user"];
    MfaMissingApiNow "mfa-missing-api" "CHN-7" Some("401 (900421)"), "Not every user proves itself by a second factor: the call in a user's name is refused." ["turn on security defaults", "enforce it by conditional access"];
    MfaThirdParty "mfa-third-party" "CHN-7" None, "A third party's second factor no longer opens customers' tenants by delegated rights." ["turn on security defaults", "enforce it by conditional access"];
    MfaUntold "mfa-untold" "CHN-7" None, "Nothing is known of the partner's security; it counts as fulfilled." ["publish security posture stated"];

    CspTenant "csp-tenant" "CHN-8" None, "The buying tenant is one from which a partner transacts." ["make a separate customer-type tenant for own use and buy into it"];
    OwnUseSeller "own-use-seller" "CHN-8" None, "For its own use a partner buys from a reseller or a direct-bill partner." ["buy from a reseller or a direct-bill partner"];
    Myself "sells-to-itself" "CHN-9" None, "The buyer is the selling organisation itself." ["buy from another reseller or direct-bill partner, into a separate customer-type tenant"];
    Affiliate "affiliate" "CHN-9" None, "The buyer belongs to the selling organisation's own group." ["let the affiliate buy from a partner outside the group"];
    OwnReseller "own-reseller" "CHN-10" None, "The buyer is the tenant of a reseller of this very provider." ["make another Entra tenant for own use and buy into that", "end the relationship with this provider and buy from another provider's reseller or a direct-bill partner", "keep it and enter a second reseller relationship with another provider"];

    CustomerUnknown "customer-unknown" "CHN-11" None, "The customer was never registered, so its country and region are not known." ["publish customer registered with the country of its tenant"];
    CountryUnlisted "country-unlisted" "CHN-11" None, "The country belongs to no region of the programme." ["check the country of the tenant", "do not sell there"];
    OtherRegion "other-region" "CHN-11" None, "The customer's tenant is in another region than the partner." ["let a partner of the customer's region sell", "enrol in that region and sell from there"];
    PartnershipRegion "partnership-region" "CHN-12" None, "Provider and reseller are in different regions." ["link with a provider or reseller of the same region"];
    ResellerRegion "reseller-region" "CHN-12" Some("2201"), "The reseller's PartnerID is of another region than the provider." ["name the reseller's PartnerID for the provider's region", "order through a provider of the reseller's region"];
    CounterpartUnknown "counterpart-unknown" "CHN-12" Some("2205"), "The other side of the partnership was never registered as a partner." ["publish partner registered for that tenant", "correct the tenant id"];
    PartnershipRoles "partnership-roles" "CHN-12" None, "A partnership is between an indirect provider and a reseller." ["name a provider and a reseller"];

    NoRelationship "no-relationship" "CHN-13" Some("20002"), "The customer never consented to buy from this partner." ["send the customer a reseller relationship request"];
    RelationshipEnded "relationship-ended" "CHN-13" Some("20002"), "The reseller relationship has ended; subscriptions and delegated rights stay as they are." ["send the customer a new reseller relationship request"];
    AlreadyRelated "already-related" "CHN-13" None, "The relationship stands already." ["do nothing"];
    MultiPartner "multi-partner" "CHN-14" None, "The customer buys from other partners too; what they sold stays theirs." ["ask the customer's consent, and nothing else changes"];
    Hired "hired" "CHN-14" None, "Managing what was bought elsewhere needs the customer's permission and changes no billing." ["licences: ask the customer for permission; they cannot move before their term ends", "Azure: make a new subscription here and cancel the old one, or move it to the new partner"];
    LicenceTerm "licence-mid-term" "CHN-14" None, "The licences' term runs on: they cannot change the partner before it ends." ["wait for the end of the term", "buy new licences here and let the old ones run out", "ask the customer's permission to manage them meanwhile"];
    LicenceTermUntold "licence-term-untold" "CHN-14" None, "The order does not say when the licences' term ends; it counts as ended." ["state termEndsAt on the order"];

    Market "market-not-authorised" "CHN-15" Some("2030"), "The partner is not authorised for the customer's market." ["ask for authorisation of that market", "let an authorised partner sell"];
    PlanMarket "plan-market" "CHN-15" Some("2030"), "The Azure plan is not offered in the customer's country." ["check the list of countries", "sell what is offered there"];
    PlanMarketUntold "plan-market-untold" "CHN-15" None, "No list of the Azure plan's countries was given, which is narrower than the programme's." ["publish market authorised for each country of the list"];
    CreditShort "credit-limit" "CHN-16" Some("900121"), "The available credit does not cover the order." ["pay open invoices", "ask for a higher limit", "renewals and running usage go on"];
    CreditUntold "credit-untold" "CHN-16" None, "No credit limit is known; it counts as enough." ["publish credit limit stated"];

    PlanExists "plan-exists" "CHN-17" None, "The customer has an Azure plan of this partner, and of this reseller, already." ["create subscriptions under the existing plan"];
    LegacyExists "legacy-exists" "CHN-17" None, "The customer still has the classic offer 0145P here: its plan comes by transition." ["order the transition instead of a plan"];
    LegacyClosed "legacy-closed" "CHN-17" None, "The classic offer 0145P is no longer sold to this customer." ["sell an Azure plan"];
    PlanMissing "plan-missing" "CHN-17" None, "There is no active Azure plan to hang it on." ["buy an Azure plan first"];
    PlanSuspended "plan-suspended" "CHN-17" None, "The Azure plan is suspended: nothing new hangs on it." ["reactivate the plan"];
    PlanInUse "plan-in-use" "CHN-17" Some("900115"), "The plan has active usage subscriptions." ["cancel or suspend its subscriptions and reservations first"];

    NothingToMove "nothing-to-move" "CHN-18" Some("900108"), "The customer has no classic subscription with this partner." ["buy an Azure plan"];
    SubscriptionSuspended "subscription-suspended" "CHN-18" Some("900105"), "A suspended subscription blocks the transition." ["reactivate or cancel the suspended subscription"];
    TransitionWaiting "transition-waiting" "CHN-18" Some("900112"), "A transition of this customer waits: purchases are blocked until it is through." ["wait for its end"];
    TransitionRunning "transition-running" "CHN-18" Some("900113"), "A transition of this customer is in progress: purchases are blocked until it is through." ["wait for its end"];
    TransitionFailed "transition-failed" "CHN-18" Some("900114"), "A transition of this customer failed: purchases are blocked until it is put right." ["ask Microsoft's support to put the failed transition right"];
    TransitionAgain "transition-again" "CHN-18" Some("900109"), "A transition of this customer is under way already." ["wait for its end"];
    TransitionSteps "transition-steps" "CHN-18" None, "Usage until the exit stays on the old invoice, from then on it is billed under the plan; resources and access move along, the budget does not." ["1. relationship and agreement; reactivate or cancel what is suspended", "2. order the transition: it makes a plan for each reseller of record", "3. hold an eligible role at the instant of the move: credit starts there, never before", "4. set the budget anew"];
    TransferPlan "transfer-plan" "CHN-19" Some("900133"), "The future partner has no Azure plan of its own with the customer." ["buy the plan first; then request the transfer"];
    TransferPlanSuspended "transfer-plan-suspended" "CHN-19" Some("900132"), "The future partner's Azure plan with the customer is suspended." ["reactivate the plan first; then request the transfer"];
    TransferLegacy "transfer-legacy" "CHN-19" Some("900131"), "The customer still has the classic offer 0145P with the future partner." ["finish the transition first; then request the transfer"];
    TransferToItself "transfer-to-itself" "CHN-19" Some("900148"), "The current partner of the transfer is the future one." ["name the partner whom the subscriptions are billed to now"];
    TransferCurrency "transfer-currency" "CHN-19" None, "The two partners are billed in different currencies: monthly reservations and savings plans end at their next cycle." ["buy them anew with the new partner, from that cycle on", "leave them out of the transfer"];
    TransferSource "transfer-source-untold" "CHN-19" None, "The order does not name the current partner, so its billing currency is not compared." ["state counterpartTenantId on the order"];
    TransferSteps "transfer-steps" "CHN-19" None, "Billing moves at the time of the transfer; delegated administration of the new partner does not come with it." ["1. relationship, agreement and plan of the new partner", "2. give the new partner an eligible role on the subscription", "3. request the transfer and let the current partner accept within 30 days", "4. remove the old partner's access afterwards"];
    PartnerIdLocation "partner-id-location" "CHN-20" None, "The PartnerID is not the location with which the reseller was onboarded." ["use the PartnerID used for onboarding"];
    PartnerIdCountry "partner-id-country" "CHN-20" None, "The PartnerID belongs to an account in another country than the reseller's." ["use a location PartnerID of the account's own country"];
}
