using System.Security.Cryptography;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Errors;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Tickets;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>Checks that an S4U2Self reply is evidence for the requested user.</summary>
/// <remarks>Without these checks a KDC could answer with another user, another account or another key.</remarks>
internal static class EvidenceChecks
{
    public static UserEvidence Accept(ExchangeContext context, TgsReply reply, IssuedTicket own, S4UUser asked)
    {
        var (message, part) = (reply.Message, reply.Part);
        if (message.Client == own.Client && ReplyChecks.SameRealm(message.ClientRealm, own.ClientRealm))
        {
            var cause = Md5.IsRefused ? "; it may need PA-FOR-USER, which needs MD5, and this system refuses MD5 (FIPS mode)" : "";
            throw KerberosException.Rejected(
                $"the KDC answered with an ordinary ticket of the account {own.Client} itself: it ignored the user{cause}");
        }
        if (part.Service != own.Client || !ReplyChecks.SameRealm(part.ServiceRealm, own.ServiceRealm))
            throw KerberosException.Rejected($"the ticket is for {part.Service}@{part.ServiceRealm}, not for the account {own.Client}");

        var signed = S4UUser.ReadSigned(reply);
        if (signed is not null && (signed.User != message.Client || !ReplyChecks.SameRealm(signed.Realm, message.ClientRealm)))
        {
            throw KerberosException.Rejected($"the reply names {message.Client}@{message.ClientRealm}, but its signed padata name "
                + $"{signed.User}@{signed.Realm}");
        }
        // The signature proves the name that the KDC was asked for. Only the ticket says which account it found under that name.
        var opened = EvidenceOpener.Open(context, message.Ticket);
        reply.Contents?.Add(opened);
        using (opened.Key)
            CheckOpened(opened, message, part);
        var account = PacAccount.Find(opened.AuthorizationData);
        // A PAC from another realm can pass through the KDC, so it does not show this KDC's implementation.
        if (ReplyChecks.SameRealm(opened.ClientRealm, own.ServiceRealm))
            context.NoteTicket(own.ServiceRealm, opened.AuthorizationData);
        CheckUser(message, account, asked, isSigned: signed is not null);
        CheckAccount(context.Logger, account, asked);
        return new UserEvidence(reply.ToTicket(), account?.SecurityIdentifier);
    }

    /// <summary>Returns whether the reply's name is the requested one. Case may differ, since Active Directory ignores it.</summary>
    /// <remarks>KDCs echo the requested name or return a canonical one (RFC 6806 §6). Another name is accepted only for an enterprise
    /// name, if it equals the part before the @.</remarks>
    public static bool Matches(S4UUser asked, PrincipalName name, string realm)
    {
        if (!ReplyChecks.NamesRealm(asked.Realm, realm))
            return false;
        if (name.EqualsIgnoreCase(asked.Name))
            return true;
        return GetEnterprisePrefix(asked.Name) is { } prefix
            && name.Components is [var only]
            && string.Equals(only, prefix, StringComparison.OrdinalIgnoreCase);
    }

    private static string? GetEnterprisePrefix(PrincipalName name) =>
        name.Type == (int)PrincipalNameType.Enterprise && name.Components[0].LastIndexOf('@') is > 0 and var at
            ? name.Components[0][..at]
            : null;

    /// <summary>Checks that the encrypted part of the ticket agrees with the reply.</summary>
    private static void CheckOpened(EncTicketPart opened, KdcReplyMessage message, EncKdcReplyPart part)
    {
        if (opened.Client != message.Client || !ReplyChecks.SameRealm(opened.ClientRealm, message.ClientRealm))
        {
            throw KerberosException.Rejected($"the reply names {message.Client}@{message.ClientRealm}, but its ticket names "
                + $"{opened.Client}@{opened.ClientRealm}");
        }
        if (opened.Key.Type != part.Key.Type || !CryptographicOperations.FixedTimeEquals(opened.Key.Bytes, part.Key.Bytes))
            throw KerberosException.Rejected("the session key in the ticket differs from the one in the reply");
        if (((opened.Flags ^ part.Flags) & (uint)TicketFlags.Forwardable) != 0)
            throw KerberosException.Rejected("the reply and its ticket do not agree on the forwardable flag");
    }

    /// <summary>Creates the failure of a request for a name that a KDC resolves to the name of an account, such as an alias in MIT
    /// krb5.</summary>
    /// <remarks>The answer is authenticated, so the KDC is not at fault and every KDC of the realm would answer the same. It is refused,
    /// because a user must never become another account without a setting that says so.</remarks>
    public static KerberosException ResolvesTo(S4UUser asked, PrincipalName name, string realm) =>
        Mismatch($"the request was for {asked.Name}@{asked.Realm}, but the KDC answered for the account {name}@{realm}; "
            + $"{asked.Name} is an alias of {name}");

    private static void CheckUser(KdcReplyMessage message, PacAccount? account, S4UUser asked, bool isSigned)
    {
        if (Matches(asked, message.Client, message.ClientRealm))
            return;
        // A canonical name without any relation to the requested one is accepted only if the PAC has both.
        var isUserPrincipalName = account is not null && asked.Name.Type == (int)PrincipalNameType.Enterprise
            && ReplyChecks.NamesRealm(asked.Realm, message.ClientRealm)
            && string.Equals(account.UserPrincipalName, asked.Name.Components[0], StringComparison.OrdinalIgnoreCase)
            && message.Client.IsSingleComponent(account.SamAccountName);
        if (isUserPrincipalName)
            return;
        // Active Directory and Heimdal repeat the requested name. A KDC that signs the name of its entry, and names no account in a PAC,
        // resolved an alias.
        throw isSigned && account is null && ReplyChecks.NamesRealm(asked.Realm, message.ClientRealm)
            ? ResolvesTo(asked, message.Client, message.ClientRealm)
            : KerberosException.Rejected($"the KDC answered for {message.Client}@{message.ClientRealm}, but the request was for "
                + $"{asked.Name}@{asked.Realm}");
    }

    /// <summary>Checks the account in the PAC: Active Directory echoes the requested name, so only the PAC says which account it
    /// found.</summary>
    private static void CheckAccount(ILogger logger, PacAccount? account, S4UUser asked)
    {
        if (asked.SecurityIdentifier is { } sid)
        {
            if (account?.SecurityIdentifier is null)
                throw Mismatch($"the account must have the SID {sid}, but its ticket has no PAC with a SID");
            if (!string.Equals(account.SecurityIdentifier, sid, StringComparison.OrdinalIgnoreCase))
            {
                throw Mismatch($"the account must have the SID {sid}, but the KDC answered for the account {account.SamAccountName} with "
                    + $"{account.SecurityIdentifier}");
            }
            return;
        }
        if (account is null)
            return;
        if (account.SamAccountName is not { } sam)
        {
            // The short form of UPN_DNS_INFO has no SAM name, so the UPN decides.
            if (asked.Requested.Type == (int)PrincipalNameType.Enterprise && !HasSuffix(asked.Requested, asked.Realm)
                && !string.Equals(account.UserPrincipalName, asked.Requested.Components[0], StringComparison.OrdinalIgnoreCase))
            {
                throw Mismatch($"the request was for {asked.Requested}, but the KDC answered for an account whose UPN is "
                    + $"{account.UserPrincipalName}");
            }
            return;
        }
        if (asked.Requested.Type != (int)PrincipalNameType.Enterprise)
        {
            if (!asked.Requested.IsSingleComponent(sam))
                throw Mismatch($"the request was for {asked.Requested}, but the KDC answered for the account {sam}");
        }
        else if (!NamesUserPrincipal(asked, account, sam))
        {
            // A KDC that finds no such UPN looks for an account named like the part before the @ (MS-KILE §3.3.5.6.1), whatever follows it.
            throw Mismatch($"the request was for {asked.Requested}, but the KDC answered for the account {sam}, whose UPN is "
                + $"{account.UserPrincipalName}");
        }
        else if (!string.Equals(sam, GetEnterprisePrefix(asked.Requested), StringComparison.OrdinalIgnoreCase))
        {
            ExchangeLog.EnterpriseNameOfAnotherAccount(logger, account.SecurityIdentifier ?? "(no SID)");
        }
    }

    private static bool HasSuffix(PrincipalName name, string suffix) =>
        name.Components[0].EndsWith($"@{suffix}", StringComparison.OrdinalIgnoreCase);

    /// <summary>Returns whether the requested name is the account's UPN or its implicit one: SAM name and the realm's DNS name.</summary>
    private static bool NamesUserPrincipal(S4UUser asked, PacAccount account, string sam) =>
        string.Equals(account.UserPrincipalName, asked.Requested.Components[0], StringComparison.OrdinalIgnoreCase)
        || string.Equals($"{sam}@{asked.Realm}", asked.Requested.Components[0], StringComparison.OrdinalIgnoreCase);

    private static KerberosException Mismatch(FailureDetail detail) =>
        new(new KerberosFailure { Reason = KerberosFailureReason.IdentityMismatch, Detail = detail.ToString() });
}
