using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Tickets;
using KcdDelegation.Kerberos.Time;
using KcdDelegation.Testing.Accounts;

namespace KcdDelegation.Testing.Exchanges;

/// <summary>The service ticket of a user who logged on with their own password, without the messages in between.</summary>
internal static class UserLogOn
{
    public static ServiceTicket Issue(
        RealmState realm, TimeProvider timeProvider, string user, ServicePrincipalName service, TicketFlags flags)
    {
        var (home, account) = Find(realm, user);
        var target = realm.Accounts.Get(service.ToString());
        var name = new PrincipalName((int)PrincipalNameType.Principal, [account.Name]);
        var type = target.Keys.Choose(target.Keys.Types)
            ?? throw new ArgumentException($"The service {service} has no AES key. Add it with an AES encryption type.", nameof(service));
        var sessionKey = KerberosKey.CreateRandom(type);
        var (start, _) = realm.Now.Split();
        var end = start + realm.TicketLife;
        var draft = new TicketDraft
        {
            Realm = realm.Name,
            Service = PrincipalName.From(service),
            Pac = PacBuilder.Create(home, account, name, start),
            PacSize = realm.PacSize,
            Key = target.Keys.Current.GetKey(type),
            KeyVersion = target.Keys.Current.Number,
            KdcKey = realm.TicketGranting.Current.GetKey(realm.TicketGranting.Types[0]),
            Part = new EncTicketPart
            {
                Flags = (uint)flags, Key = sessionKey, ClientRealm = home.Name, Client = name,
                AuthTime = start, StartTime = start, EndTime = end,
            },
        };
        var issued = new IssuedTicket
        {
            Client = name, ClientRealm = home.Name, Ticket = draft.Encrypt(), SessionKey = sessionKey,
            Flags = flags, AuthTime = start, StartTime = start, EndTime = end,
        };
        return new ServiceTicket(issued, service, securityIdentifier: null, new KdcClock(timeProvider));
    }

    /// <summary>Finds name, or name@REALM of a trusted realm.</summary>
    private static (RealmState Home, DirectoryEntry Account) Find(RealmState realm, string user)
    {
        var at = user.LastIndexOf('@');
        if (at < 0)
            return (realm, realm.Accounts.Get(user));
        var home = realm.Reachable().FirstOrDefault(candidate => candidate.IsNamed(user[(at + 1)..]))
            ?? throw new ArgumentException($"The realm {realm.Name} does not trust the realm of {user}. Call Trusts first.", nameof(user));
        return (home, home.Accounts.Get(user[..at]));
    }
}
