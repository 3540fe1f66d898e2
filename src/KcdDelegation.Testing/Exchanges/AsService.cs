using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Testing.Accounts;
using KcdDelegation.Testing.Errors;

namespace KcdDelegation.Testing.Exchanges;

/// <summary>RFC 4120 §3.1: log-on with PA-ENC-TIMESTAMP, and referral of users of other realms (RFC 6806 §6).</summary>
internal sealed class AsService(RealmState realm, TicketMaker tickets)
{
    /// <summary>RFC 4120 §5.3 initial(9).</summary>
    private const TicketFlags Initial = (TicketFlags)0x00400000;

    public ReplyDraft Answer(KdcCall call)
    {
        var name = call.Body.Client ?? throw new KdcRefusalException(KerberosErrorCode.ClientPrincipalUnknown);
        var timestamp = call.Request.PaData.Find(PaDataType.EncryptedTimestamp);
        if (timestamp is null && name.Type == (int)PrincipalNameType.Enterprise)
            call.Describe(KerberosExchange.RealmDiscovery, $"FIND {name}");
        else
            call.Describe(KerberosExchange.LogOn, $"AS {name}");

        var client = realm.Accounts.Find(name) ?? throw NotFound(name);
        if (client.Disabled)
            throw new KdcRefusalException(KerberosErrorCode.ClientRevoked, NtStatus.AccountDisabled);
        var type = client.Keys.Choose(call.Body.EncryptionTypes)
            ?? throw new KdcRefusalException(KerberosErrorCode.EncryptionTypeNotSupported);
        if (timestamp is null)
        {
            call.IsOpening = call.Exchange == KerberosExchange.LogOn;
            throw PreAuthenticationRequired(call, client);
        }
        var version = client.Keys.Current;
        VerifyTimestamp(call, timestamp.Value, client);
        if (client.PasswordExpired)
            throw new KdcRefusalException(KerberosErrorCode.KeyExpired);
        // RFC 3244 §2: the password server's tickets are from an AS exchange.
        var isPasswordServer = call.Body.Service.Equals(RealmState.PasswordServerName);
        if (!isPasswordServer && (call.Body.Service.TicketGrantingRealm is not { } granting || !realm.IsNamed(granting)))
            throw new KdcRefusalException(KerberosErrorCode.ServicePrincipalUnknown);

        var canonical = call.Asks(KdcOptionFlags.Canonicalize)
            ? new PrincipalName((int)PrincipalNameType.Principal, client.Name.Split('/'))
            : name;
        var draft = tickets.Make(call, new TicketOrder
        {
            Client = new ClientName(canonical, realm.Name),
            Service = isPasswordServer ? RealmState.PasswordServerName : PrincipalName.TicketGranting(realm.Name),
            ServiceKeys = isPasswordServer ? realm.PasswordServer : realm.TicketGranting,
            Pac = WantsNoPac(call) ? null : PacBuilder.Create(realm, client, canonical, call.Now),
            AuthTime = call.Now,
            Flags = Initial | TicketFlags.PreAuthenticated,
            Forwardable = client.MayBeDelegated,
            ReplyKey = version.GetKey(type),
            ReplyUsage = KeyUsage.AsReply,
            ReplyKeyVersion = version.Number,
        });
        draft.PaData.Add(new PaData(PaDataType.EtypeInfo2, EtypeInfo2Entry.EncodeList([new EtypeInfo2Entry(type, version.Salt, null)])));
        return draft;
    }

    // RFC 6806 §6: KDC_ERR_WRONG_REALM with the client's realm.
    private KdcRefusalException NotFound(PrincipalName name) =>
        name.Type == (int)PrincipalNameType.Enterprise && realm.Route(other => other.Accounts.Find(name) is not null) is { } route
            ? new KdcRefusalException(KerberosErrorCode.WrongRealm) { ClientRealm = route.Destination.Name }
            : new KdcRefusalException(KerberosErrorCode.ClientPrincipalUnknown);

    // RFC 4120 §5.2.7.5: METHOD-DATA with ETYPE-INFO2 of the common types, in the client's order.
    private static KdcRefusalException PreAuthenticationRequired(KdcCall call, DirectoryEntry client)
    {
        var entries = call.Body.EncryptionTypes.Where(type => client.Keys.Choose([type]) is not null)
            .Select(type => new EtypeInfo2Entry(type, client.Keys.Current.Salt, null));
        var types = new PaData(PaDataType.EtypeInfo2, EtypeInfo2Entry.EncodeList(entries));
        return new KdcRefusalException(KerberosErrorCode.PreAuthenticationRequired)
        {
            ErrorData = PaData.EncodeMethodData([types, new PaData(PaDataType.EncryptedTimestamp, default)]),
        };
    }

    // RFC 4120 §5.2.7.2.
    private static void VerifyTimestamp(KdcCall call, ReadOnlyMemory<byte> value, DirectoryEntry client)
    {
        PaEncTimestamp timestamp;
        try
        {
            var encrypted = EncryptedData.Decode(value);
            var key = client.Keys.Find(encrypted.Type, client.Keys.Current.Number)
                ?? throw new KdcRefusalException(KerberosErrorCode.EncryptionTypeNotSupported);
            timestamp = PaEncTimestamp.Decode(encrypted.Decrypt(key, KeyUsage.EncryptedTimestamp));
        }
        catch (KerberosException)
        {
            throw new KdcRefusalException(KerberosErrorCode.PreAuthenticationFailed);
        }
        if ((timestamp.Time - call.Now).Duration() > RealmState.MaxSkew)
            throw new KdcRefusalException(KerberosErrorCode.Skew);
    }

    // MS-KILE §2.2.3 KERB-PA-PAC-REQUEST: its BOOLEAN is the last byte; only FALSE has an effect.
    private static bool WantsNoPac(KdcCall call) =>
        call.Request.PaData.Find(PaDataType.PacRequest) is { Length: > 0 } value && value.Span[^1] == 0;
}
