using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>Whether the user whom the KDC answered with is the one who was asked for.</summary>
internal static class EvidenceUser
{
    /// <summary>KDCs echo the name as asked, or answer with a canonical one (RFC 6806 §6). Case may change, since Active Directory
    /// ignores it; a wholly different name is taken only for an enterprise name, and only when what stands before its @ is that name.</summary>
    public static void Check(KdcReplyMessage message, EncTicketPart? opened, PrincipalName asked, string userRealm)
    {
        _ = opened;
        var answered = message.Client;
        var same = string.Equals(answered.ToString(), asked.ToString(), StringComparison.OrdinalIgnoreCase)
            && string.Equals(message.ClientRealm, userRealm, StringComparison.OrdinalIgnoreCase);
        if (!same && !IsCanonicalFormOf(asked, answered))
            throw KerberosException.Rejected($"the KDC answered for {answered}@{message.ClientRealm}, but {asked}@{userRealm} was asked for");
    }

    private static bool IsCanonicalFormOf(PrincipalName asked, PrincipalName answered)
    {
        if (asked.Type != (int)PrincipalNameType.Enterprise || answered.Components is not [var name])
            return false;
        var userPrincipalName = asked.Components[0];
        var at = userPrincipalName.LastIndexOf('@');
        return at > 0 && userPrincipalName.AsSpan(0, at).Equals(name, StringComparison.OrdinalIgnoreCase);
    }
}
