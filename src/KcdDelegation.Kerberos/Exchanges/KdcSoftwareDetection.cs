using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>Determines the implementation of a KDC from its KRB-ERROR (the text, and the form of the e-data) and its PACs.</summary>
/// <remarks>Nothing in a KRB-ERROR is authenticated (RFC 4120 §5.9.1). The result selects the commands of a remedy and nothing
/// else.</remarks>
internal static class KdcSoftwareDetection
{
    public static KdcSoftware Detect(KrbError error, bool hasNtStatus)
    {
        var text = error.Text?.Trim() ?? "";
        // MIT krb5 sends the name of a status, such as NEEDED_PREAUTH or CLIENT LOCKED OUT.
        if (text.Length > 0 && text.Any(char.IsAsciiLetterUpper) && !text.Any(char.IsLower))
            return KdcSoftware.MitKrb5;
        if (text.Length > 0)
            return hasNtStatus ? KdcSoftware.Samba : DetectHeimdalFamily(error);
        if (hasNtStatus)
            return KdcSoftware.DomainController;
        // Windows sends no text. Heimdal and Samba send one with this code.
        return error.Code == KerberosErrorCode.PreAuthenticationRequired ? KdcSoftware.ActiveDirectory : KdcSoftware.Unknown;
    }

    /// <summary>Determines the implementation from the authorization data of a ticket that the KDC issued for a user of its own
    /// realm.</summary>
    public static KdcSoftware Detect(IReadOnlyList<AuthorizationDataEntry> authorizationData) =>
        PacBuffers.Find(authorizationData) is not { } pac ? KdcSoftware.Unknown
        // MIT krb5 creates PACs too. Its database has no groups and SIDs for KERB_VALIDATION_INFO.
        : PacBuffers.Has(pac.Span, PacBuffers.LogonInfo) ? KdcSoftware.DomainController
        : KdcSoftware.MitKrb5;

    /// <summary>Returns what is known after a ticket of the same realm.</summary>
    /// <remarks>A ticket shows less than the errors: FreeIPA is MIT krb5 whose PACs are those of a domain controller.</remarks>
    public static KdcSoftware CombineWithTicket(KdcSoftware known, KdcSoftware seen) => (known, seen) switch
    {
        (KdcSoftware.Unknown, _) => seen,
        (KdcSoftware.Heimdal, KdcSoftware.DomainController) => KdcSoftware.Samba,
        _ => known,
    };

    /// <summary>Returns what is known after another answer of the same realm.</summary>
    public static KdcSoftware Combine(KdcSoftware known, KdcSoftware seen) => (known, seen) switch
    {
        (_, KdcSoftware.Unknown) => known,
        (KdcSoftware.ActiveDirectory or KdcSoftware.Samba, KdcSoftware.DomainController) => known,
        // Samba contains the KDC of Heimdal, or that of MIT krb5. Only Samba sends NTSTATUS values with them.
        (KdcSoftware.Heimdal or KdcSoftware.MitKrb5, KdcSoftware.DomainController) => KdcSoftware.Samba,
        _ => seen,
    };

    /// <summary>Distinguishes Heimdal from Samba by the offered pre-authentication: Samba does not offer PA-ENCRYPTED-CHALLENGE.</summary>
    private static KdcSoftware DetectHeimdalFamily(KrbError error)
    {
        if (error.Code != KerberosErrorCode.PreAuthenticationRequired)
            return KdcSoftware.Unknown;
        return PreAuthenticationOffer.Read(error).Contains(PreAuthenticationOffer.EncryptedChallenge) ? KdcSoftware.Heimdal
            : KdcSoftware.Samba;
    }
}
