namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>Classifies refusals that cached tickets may cause after a change at the KDC: new keys of the account or of the KDC, a changed
/// account, or a corrected clock. New tickets are then worth one attempt.</summary>
internal static class StaleTickets
{
    /// <summary>Returns whether the code says that a ticket is no longer accepted.</summary>
    public static bool AreIndicatedBy(KerberosException error) => error.Code is
        KerberosErrorCode.TgtRevoked or KerberosErrorCode.BadIntegrity or KerberosErrorCode.TicketExpired
        or KerberosErrorCode.TicketNotYetValid or KerberosErrorCode.NotUs or KerberosErrorCode.Skew or KerberosErrorCode.Modified
        or KerberosErrorCode.BadKeyVersion or KerberosErrorCode.NoKey or KerberosErrorCode.ServerNoMatch
        // RFC 4120 §3.2.3: the TGT's client differs from the name that it was used with. That name is outside the encryption of the AS-REP,
        // so an attacker who changed it once must not spoil the ticket for its whole life.
        or KerberosErrorCode.BadMatch;

    /// <summary>Returns whether the evidence may be under a key of the account that the KDC has dropped (MIT's "2ND_TKT_SERVER"), or was
    /// signed with an older key of the realm (Heimdal).</summary>
    public static bool EvidenceIsIndicatedBy(KerberosException error) =>
        error is { Code: KerberosErrorCode.Generic, Exchange: KerberosExchange.S4U2Proxy } || IsRefusalOfSignature(error);

    /// <summary>Returns whether the refusal may be about the signature in a ticket. Heimdal verifies it with the newest key of the realm
    /// only, and answers as for a target on no list.</summary>
    public static bool IsRefusalOfSignature(KerberosException error) => error is
    {
        Code: KerberosErrorCode.BadOption, Exchange: KerberosExchange.S4U2Proxy, KdcSoftware: KdcSoftware.Heimdal,
    };

    /// <summary>Returns whether the TGT may be under a key of the realm that the KDC has dropped (MIT's "PROCESS_TGS").</summary>
    /// <param name="error">The refusal.</param>
    /// <param name="realm">The realm whose KDC accepts the TGT.</param>
    public static bool IndicatesStaleTgt(KerberosException error, string realm) =>
        (error.Code == KerberosErrorCode.Generic || IsRefusalOfSignature(error))
        && error.Exchange is KerberosExchange.S4U2Self or KerberosExchange.S4U2Proxy or KerberosExchange.Referral
        && ReplyChecks.NamesRealm(error.Realm, realm);
}
