using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Testing.Accounts;
using KcdDelegation.Testing.Errors;
using KcdDelegation.Testing.Exchanges;

namespace KcdDelegation.Testing.Accepting;

/// <summary>A verified AP-REQ: the ticket opens, the authenticator matches it, and both are valid now.</summary>
internal sealed record OpenedRequest(ApRequest Request, OpenedTicket Ticket, Authenticator Authenticator)
{
    public bool WantsMutualAuthentication => (Request.Options & ApRequest.MutualRequired) != 0;
}

/// <summary>RFC 4120 §3.2.3: receipt of a KRB_AP_REQ message.</summary>
internal sealed class ApRequestOpener(RealmState realm, DirectoryEntry account)
{
    private readonly ReplayCache _replays = new();

    public OpenedRequest Open(ReadOnlyMemory<byte> message)
    {
        var request = ApRequest.Decode(message);
        if (!realm.IsNamed(request.Ticket.Realm) || realm.Accounts.Find(request.Ticket.Service) != account)
            throw new KdcRefusalException(KerberosErrorCode.NotUs);
        OpenedTicket ticket;
        try
        {
            ticket = OpenedTicket.Open(request.Ticket, account.Keys, realm.Now);
        }
        catch (KdcRefusalException refusal) when (refusal.Code == KerberosErrorCode.BadIntegrity)
        {
            // RFC 4120 §3.2.3: a service reports a ticket under another key as modified; the KDC does not.
            throw new KdcRefusalException(KerberosErrorCode.Modified);
        }
        var authenticator = Authenticator.Decode(request.Authenticator.Decrypt(ticket.Part.Key, KeyUsage.ApRequestAuthenticator));
        if (authenticator.ClientRealm != ticket.Client.Realm || !authenticator.Client.Equals(ticket.Client.Name))
            throw new KdcRefusalException(KerberosErrorCode.BadMatch);
        if ((authenticator.Time - realm.Now).Duration() > RealmState.MaxSkew)
            throw new KdcRefusalException(KerberosErrorCode.Skew);
        if (ticket.Pac is { } pac && pac.ClientName != ticket.Client.Name.ToString())
            throw new KdcRefusalException(KerberosErrorCode.BadMatch);
        return _replays.TryAdd(authenticator, realm.Now)
            ? new OpenedRequest(request, ticket, authenticator)
            : throw new KdcRefusalException(KerberosErrorCode.Repeat);
    }
}
