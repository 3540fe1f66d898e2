using System.Security.Cryptography;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Errors;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Tickets;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>What an S4U2Self reply must be before it is evidence for a user: in his name, for the account, and proven so.</summary>
internal static class EvidenceChecks
{
    public static UserEvidence Accept(ExchangeContext context, TgsReply reply, IssuedTicket own, S4UUser asked)
    {
        var (message, part, _) = reply;
        if (message.Client == own.Client && ReplyChecks.SameRealm(message.ClientRealm, own.ClientRealm))
            throw KerberosException.Rejected($"the KDC answered with an ordinary ticket of the account {own.Client} itself: it ignored the user{(Md5.IsRefused ? ", whom it would have read from PA-FOR-USER, which cannot be made where the system refuses MD5 (FIPS mode)" : "")}");
        if (part.Service != own.Client || !ReplyChecks.SameRealm(part.ServiceRealm, own.ServiceRealm))
            throw KerberosException.Rejected($"the ticket is for {part.Service}@{part.ServiceRealm}, not for the account {own.Client}");

        var signed = S4UUser.ReadSigned(reply);
        if (signed is not null && (signed.User != message.Client || !ReplyChecks.SameRealm(signed.Realm, message.ClientRealm)))
            throw KerberosException.Rejected($"the reply names {message.Client}@{message.ClientRealm}, but its signature {signed.User}@{signed.Realm}");
        // The signature proves the name that the KDC was asked for; which account it found under it stands in the ticket alone.
        var opened = EvidenceOpener.Open(context, message.Ticket);
        using (opened.Key)
            CheckOpened(opened, message, part);
        var account = PacAccount.Find(opened.AuthorizationData);
        CheckUser(message, account, asked);
        CheckAccount(context.Logger, account, asked);
        return new UserEvidence(reply.ToTicket(), account?.SecurityIdentifier);
    }

    /// <summary>KDCs echo the name as asked, or answer with a canonical one (RFC 6806 §6). Case may change, since Active Directory
    /// ignores it; another name is taken only for an enterprise name whose part before the @ it is.</summary>
    public static bool Matches(S4UUser asked, PrincipalName name, string realm)
    {
        if (!string.Equals(realm, asked.Realm, StringComparison.OrdinalIgnoreCase))
            return false;
        if (name.EqualsIgnoreCase(asked.Name))
            return true;
        return EnterprisePrefix(asked.Name) is { } prefix && name.Components is [var only] && string.Equals(only, prefix, StringComparison.OrdinalIgnoreCase);
    }

    private static string? EnterprisePrefix(PrincipalName name) =>
        name.Type == (int)PrincipalNameType.Enterprise && name.Components[0].LastIndexOf('@') is > 0 and var at ? name.Components[0][..at] : null;

    /// <summary>The ticket itself must say what the reply says of it.</summary>
    private static void CheckOpened(EncTicketPart opened, KdcReplyMessage message, EncKdcReplyPart part)
    {
        if (opened.Client != message.Client || !ReplyChecks.SameRealm(opened.ClientRealm, message.ClientRealm))
            throw KerberosException.Rejected($"the reply names {message.Client}@{message.ClientRealm}, but the ticket in it is of {opened.Client}@{opened.ClientRealm}");
        if (opened.Key.Type != part.Key.Type || !CryptographicOperations.FixedTimeEquals(opened.Key.Bytes, part.Key.Bytes))
            throw KerberosException.Rejected("the ticket in the reply has another session key than the reply");
        if (((opened.Flags ^ part.Flags) & (uint)TicketFlags.Forwardable) != 0)
            throw KerberosException.Rejected("the ticket in the reply and the reply do not agree whether it is forwardable");
    }

    private static void CheckUser(KdcReplyMessage message, PacAccount? account, S4UUser asked)
    {
        if (Matches(asked, message.Client, message.ClientRealm))
            return;
        // A canonical name that shares nothing with what was asked is believed only when the PAC ties the two together.
        var tied = account is not null && asked.Name.Type == (int)PrincipalNameType.Enterprise
            && string.Equals(message.ClientRealm, asked.Realm, StringComparison.OrdinalIgnoreCase)
            && string.Equals(account.UserPrincipalName, asked.Name.Components[0], StringComparison.OrdinalIgnoreCase)
            && message.Client.IsSingleComponent(account.SamAccountName);
        if (!tied)
            throw KerberosException.Rejected($"the KDC answered for {message.Client}@{message.ClientRealm}, but {asked.Name}@{asked.Realm} was asked for");
    }

    /// <summary>Active Directory echoes the name as asked, so only the PAC says which account it found.</summary>
    private static void CheckAccount(ILogger logger, PacAccount? account, S4UUser asked)
    {
        if (asked.SecurityIdentifier is { } sid)
        {
            if (account?.SecurityIdentifier is null)
                throw Mismatch($"the account must have the SID {sid}, but its ticket does not say which it has: there is no PAC with one");
            if (!string.Equals(account.SecurityIdentifier, sid, StringComparison.OrdinalIgnoreCase))
                throw Mismatch($"the account must have the SID {sid}, but the KDC answered for the account {account.SamAccountName} with {account.SecurityIdentifier}");
            return;
        }
        if (account is null)
            return;
        if (account.SamAccountName is not { } sam)
        {
            // The short form of UPN_DNS_INFO: without the SAM name the UPN alone can tell.
            if (asked.Name.Type == (int)PrincipalNameType.Enterprise && !HasSuffix(asked.Name, asked.Realm)
                && !string.Equals(account.UserPrincipalName, asked.Name.Components[0], StringComparison.OrdinalIgnoreCase))
                throw Mismatch($"{asked.Name} was asked for, but the KDC answered for an account whose UPN is {account.UserPrincipalName}");
            return;
        }
        if (asked.Name.Type != (int)PrincipalNameType.Enterprise)
        {
            if (!asked.Name.IsSingleComponent(sam))
                throw Mismatch($"{asked.Name} was asked for, but the KDC answered for the account {sam}");
        }
        else if (!NamesUserPrincipal(asked, account, sam))
        {
            // A KDC that finds no such UPN looks for an account named like the part before the @ (MS-KILE §3.3.5.6.1), whatever stands behind it.
            throw Mismatch($"{asked.Name} was asked for, but the KDC answered for the account {sam}, whose UPN is {account.UserPrincipalName}");
        }
        else if (!string.Equals(sam, EnterprisePrefix(asked.Name), StringComparison.OrdinalIgnoreCase))
        {
            ExchangeLog.EnterpriseNameOfAnotherAccount(logger, account.SecurityIdentifier ?? "(no SID)");
        }
    }

    private static bool HasSuffix(PrincipalName name, string suffix) => name.Components[0].EndsWith($"@{suffix}", StringComparison.OrdinalIgnoreCase);

    /// <summary>The account's UPN is the name that was asked for, or that is its implicit one: SAM name and the realm's DNS name.</summary>
    private static bool NamesUserPrincipal(S4UUser asked, PacAccount account, string sam) =>
        string.Equals(account.UserPrincipalName, asked.Name.Components[0], StringComparison.OrdinalIgnoreCase)
        || string.Equals($"{sam}@{asked.Realm}", asked.Name.Components[0], StringComparison.OrdinalIgnoreCase);

    private static KerberosException Mismatch(FailureDetail detail) =>
        new(new KerberosFailure { Reason = KerberosFailureReason.IdentityMismatch, Detail = detail.ToString() });
}
