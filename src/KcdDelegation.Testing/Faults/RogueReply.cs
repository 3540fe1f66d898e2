using KcdDelegation.Kerberos.Time;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Testing.Exchanges;
using KcdDelegation.Testing.Pac;

namespace KcdDelegation.Testing.Faults;

/// <summary>Changes that a rogue KDC makes to a reply before it encrypts it correctly.</summary>
internal sealed class RogueReply(RealmState realm, KdcCall call, ReplyDraft draft)
{
    public void IssueFor(string user)
    {
        SwapTicketKeepingKey(user);
        RenameClient(user);
        ReplaceSignedUser(draft.Client, draft.ReplyKey);
    }

    public void RenameClient(string user) => draft.Client = GetName(user);

    public void SwapTicket(string user)
    {
        SwapTicketKeepingKey(user);
        SwapSessionKey();
    }

    public void SwapPac(string user)
    {
        // In a referral the PAC names the user with their realm (MS-SFU §3.2.5.1.1).
        var isReferral = draft.Ticket.Service.TicketGrantingRealm is not null;
        var name = new ClientName(GetName(user).Name, realm.Name);
        var pac = CreatePac(name);
        draft.Ticket = draft.Ticket with { Pac = isReferral && pac is not null ? pac with { ClientName = name.ToString() } : pac };
    }

    public void OmitPac() => draft.Ticket = draft.Ticket with { Pac = null };

    public void ChangePac(Func<PacIdentity, PacIdentity> change) =>
        draft.Ticket = draft.Ticket with { Pac = draft.Ticket.Pac is { } pac ? change(pac) : null };

    public void IssueForAccount()
    {
        var account = call.Header?.Tgt.Client ?? draft.Client;
        draft.Client = account;
        draft.Ticket = draft.Ticket with { Part = draft.Ticket.Part with { Client = account.Name, ClientRealm = account.Realm } };
        OmitSignedUser();
    }

    public void OmitSignedUser() => draft.PaData.RemoveAll(static entry => entry.Type == PaDataType.S4UX509User);

    public void ForgeSignedUser()
    {
        using var anotherKey = KerberosKey.CreateRandom(draft.ReplyKey.Type);
        ReplaceSignedUser(draft.Client, anotherKey);
    }

    public void ChangePart(Func<EncKdcReplyPart, EncKdcReplyPart> change) => draft.Part = change(draft.Part);

    public void IssueForService(string service)
    {
        SwapService(service);
        draft.Part = draft.Part with { Service = draft.Ticket.Service };
    }

    public void SwapService(string service) =>
        draft.Ticket = draft.Ticket with { Service = new PrincipalName((int)PrincipalNameType.ServiceInstance, service.Split('/')) };

    public void EncryptWithAnotherKey() => draft.ReplyKey = KerberosKey.CreateRandom(draft.ReplyKey.Type);

    /// <summary>Encrypts under the session key. RFC 4120 §5.4.2 requires the subkey where the client sent one. KDCs that do not know it use
    /// the session key.</summary>
    public void EncryptWithSessionKey()
    {
        if (call.Header is { } header)
            (draft.ReplyKey, draft.ReplyUsage) = (header.SessionKey, KeyUsage.TgsReplySessionKey);
    }

    public void SwapTicketRealm(string realmName) =>
        draft.Ticket = draft.Ticket with { Part = draft.Ticket.Part with { ClientRealm = realmName } };

    public void SwapSessionKey() =>
        draft.Ticket = draft.Ticket with { Part = draft.Ticket.Part with { Key = KerberosKey.CreateRandom(draft.Part.Key.Type) } };

    public void UseUnofferedType()
    {
        var type = RealmState.AllTypes.Except(call.Body.EncryptionTypes).Append(RealmState.AllTypes[^1]).First();
        var key = KerberosKey.CreateRandom(type);
        draft.Part = draft.Part with { Key = key };
        draft.Ticket = draft.Ticket with { Part = draft.Ticket.Part with { Key = key } };
    }

    public void MoveTimes(TimeSpan start, TimeSpan end)
    {
        var (now, _) = call.Now.Split();
        draft.Part = draft.Part with { StartTime = now + start, EndTime = now + end };
        draft.Ticket = draft.Ticket with { Part = draft.Ticket.Part with { StartTime = now + start, EndTime = now + end } };
    }

    public void ClaimForwardable()
    {
        draft.Part = draft.Part with { Flags = draft.Part.Flags | (uint)TicketFlags.Forwardable };
        var part = draft.Ticket.Part;
        draft.Ticket = draft.Ticket with { Part = part with { Flags = part.Flags & ~(uint)TicketFlags.Forwardable } };
    }

    public void SwapTicketKeepingKey(string user)
    {
        var name = GetName(user);
        var part = draft.Ticket.Part with { Client = name.Name, ClientRealm = name.Realm };
        draft.Ticket = draft.Ticket with { Pac = CreatePac(name), Part = part };
    }

    private PacIdentity? CreatePac(ClientName name)
    {
        if (realm.Accounts.Find(name.Name) is { } account)
            return PacBuilder.Create(realm, account, name.Name, draft.Part.AuthTime);
        var text = name.Name.ToString();
        return draft.Ticket.Pac is { } pac ? pac with { ClientName = text, SamName = text, UserPrincipalName = name.ToString() } : null;
    }

    private void ReplaceSignedUser(ClientName name, KerberosKey key)
    {
        var index = draft.PaData.FindIndex(static entry => entry.Type == PaDataType.S4UX509User);
        if (index < 0)
            return;
        var options = PaS4UX509User.Decode(draft.PaData[index].Value).UserId.Options;
        var usage = (options & S4UUserId.UseReplyKeyUsage) != 0 ? KeyUsage.PaS4UX509UserReply : KeyUsage.PaS4UX509UserRequest;
        var user = S4UUserId.Create(call.Body.Nonce, name.Name, name.Realm, options);
        draft.PaData[index] = PaS4UX509User.Create(user, key, usage).ToPaData();
    }

    private ClientName GetName(string user) => new(new PrincipalName((int)PrincipalNameType.Principal, [user]), draft.Client.Realm);
}
