namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>Whether a refusal may be due to cached tickets that have outlived a change at the KDC: new keys of the account or of the
/// KDC itself, a changed account, a clock that was set. Then new tickets are worth one try.</summary>
internal static class StaleTickets
{
    public static bool AreIndicatedBy(KerberosException error) => error.Code is
        KerberosErrorCode.TgtRevoked or KerberosErrorCode.BadIntegrity or KerberosErrorCode.TicketExpired or KerberosErrorCode.TicketNotYetValid
        or KerberosErrorCode.NotUs or KerberosErrorCode.Skew or KerberosErrorCode.Modified or KerberosErrorCode.BadKeyVersion
        or KerberosErrorCode.NoKey or KerberosErrorCode.ServerNoMatch
        // RFC 4120 §3.2.3: the TGT is not of the name that it was used with. That name stood unprotected beside the AS-REP, so whoever
        // changed it once must not have spoilt the ticket for its whole life.
        or KerberosErrorCode.BadMatch;

    /// <summary>MIT's word for evidence that is encrypted with a key of the account that was dropped since ("2ND_TKT_SERVER"). The
    /// account's own ticket is not to blame, and the keytab may not have the new key yet to get another with.</summary>
    public static bool EvidenceIsIndicatedBy(KerberosException error) => error is { Code: KerberosErrorCode.Generic, Exchange: KerberosExchange.S4U2Proxy };
}
