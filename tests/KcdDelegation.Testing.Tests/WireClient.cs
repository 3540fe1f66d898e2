using System.Buffers.Binary;
using System.Net.Sockets;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Testing.Tests;

/// <summary>A client that sends single messages to a KDC, including those that a correct client never sends.</summary>
internal sealed class WireClient(TestRealm realm, string account, string password)
{
    public static readonly DateTimeOffset Till = new(2037, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private uint _nonce = 100;

    public TimeSpan ClockAhead { get; init; }

    public DateTimeOffset Now => TimeProvider.System.GetUtcNow() + ClockAhead;

    public static async Task<byte[]> ExchangeAsync(TestRealm realm, byte[] request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(realm.Endpoint.Host, realm.Endpoint.Port, TestContext.Current.CancellationToken);
        var stream = client.GetStream();
        var framed = new byte[4 + request.Length];
        BinaryPrimitives.WriteInt32BigEndian(framed, request.Length);
        request.CopyTo(framed, 4);
        await stream.WriteAsync(framed, TestContext.Current.CancellationToken);
        var prefix = new byte[4];
        await stream.ReadExactlyAsync(prefix, TestContext.Current.CancellationToken);
        var reply = new byte[BinaryPrimitives.ReadInt32BigEndian(prefix)];
        await stream.ReadExactlyAsync(reply, TestContext.Current.CancellationToken);
        return reply;
    }

    public static KrbError ShouldBeError(byte[] reply, KerberosErrorCode code)
    {
        var error = KrbError.Decode(reply);
        error.Code.ShouldBe(code);
        return error;
    }

    public KdcRequestBody AsBody(params EncryptionType[] types) => new()
    {
        Options = KdcOptionFlags.Forwardable | KdcOptionFlags.Canonicalize,
        Client = new PrincipalName(1, [account]), Realm = realm.Name, Service = PrincipalName.TicketGranting(realm.Name),
        Till = Till, Nonce = _nonce++, EncryptionTypes = types.Length > 0 ? types : [EncryptionType.Aes256CtsHmacSha1],
    };

    public Task<byte[]> AskAsync(KdcRequestBody body, params PaData[] paData) =>
        ExchangeAsync(realm, new KdcRequestMessage(KdcMessageType.AsRequest, paData, body.Encode()).Encode());

    public PaData Timestamp(KerberosKey key) =>
        new(PaDataType.EncryptedTimestamp,
            EncryptedData.Encrypt(key, KeyUsage.EncryptedTimestamp, new PaEncTimestamp(Now, 0).Encode()).Encode());

    public KerberosKey KeyFrom(KrbError error)
    {
        var entry = EtypeInfo2Entry.DecodeList(PaData.DecodeMethodData(error.Data).Find(PaDataType.EtypeInfo2)!.Value)[0];
        var profile = EncryptionProfile.Get(entry.Type);
        return profile.DeriveFromPassword(password, entry.Salt!, profile.DefaultIterations);
    }

    public async Task<Credential> LogOnAsync()
    {
        var error = KrbError.Decode(await AskAsync(AsBody()));
        error.Code.ShouldBe(KerberosErrorCode.PreAuthenticationRequired);
        var key = KeyFrom(error);
        var body = AsBody();
        var reply = KdcReplyMessage.Decode(KdcMessageType.AsReply, await AskAsync(body, Timestamp(key)));
        var part = EncKdcReplyPart.Decode(KdcMessageType.AsReply, reply.EncryptedPart.Decrypt(key, KeyUsage.AsReply));
        part.Nonce.ShouldBe(body.Nonce);
        return new Credential(reply, part);
    }

    public KdcRequestBody TgsBody(PrincipalName service) => new()
    {
        Options = KdcOptionFlags.Forwardable | KdcOptionFlags.Canonicalize, Realm = realm.Name, Service = service, Till = Till,
        Nonce = _nonce++, EncryptionTypes = [EncryptionType.Aes256CtsHmacSha1],
    };

    public PaData Header(Credential tgt, KdcRequestBody body, Func<Authenticator, Authenticator>? change = null)
    {
        var authenticator = new Authenticator
        {
            Client = tgt.Reply.Client, ClientRealm = tgt.Reply.ClientRealm, Time = Now, Microseconds = (int)_nonce,
            Checksum = ChecksumField.Create(tgt.Part.Key, KeyUsage.TgsRequestBodyChecksum, body.Encode()),
        };
        var encrypted = EncryptedData.Encrypt(tgt.Part.Key, KeyUsage.TgsRequestAuthenticator,
            (change?.Invoke(authenticator) ?? authenticator).Encode());
        return new PaData(PaDataType.TgsRequest, new ApRequest(0, tgt.Reply.Ticket, encrypted).Encode());
    }

    public async Task<byte[]> TgsAsync(Credential tgt, KdcRequestBody body, Func<Authenticator, Authenticator>? change = null,
        params PaData[] more) =>
        await ExchangeAsync(realm,
            new KdcRequestMessage(KdcMessageType.TgsRequest, [Header(tgt, body, change), .. more], body.Encode()).Encode());

    public async Task<Credential> GrantedAsync(Credential tgt, KdcRequestBody body, params PaData[] more)
    {
        var bytes = await TgsAsync(tgt, body, change: null, more);
        if (KrbError.Is(bytes))
            throw new InvalidOperationException(KrbError.Decode(bytes).Code.ToString());
        var reply = KdcReplyMessage.Decode(KdcMessageType.TgsReply, bytes);
        return new Credential(reply,
            EncKdcReplyPart.Decode(KdcMessageType.TgsReply, reply.EncryptedPart.Decrypt(tgt.Part.Key, KeyUsage.TgsReplySessionKey)));
    }

    public async Task<Credential> SelfAsync(Credential tgt, string user)
    {
        var body = TgsBody(new PrincipalName(1, [account]));
        var name = new PrincipalName(1, [user]);
        return await GrantedAsync(tgt, body, PaForUser.Create(name, realm.Name, tgt.Part.Key).ToPaData(), X509User(tgt, body, name));
    }

    public PaData X509User(Credential tgt, KdcRequestBody body, PrincipalName name) =>
        PaS4UX509User.Create(S4UUserId.Create(body.Nonce, name, realm.Name, S4UUserId.UseReplyKeyUsage), tgt.Part.Key,
            KeyUsage.PaS4UX509UserRequest).ToPaData();

    public Task<byte[]> ProxyAsync(Credential tgt, Credential evidence, string service, params PaData[] more)
    {
        var body = TgsBody(new PrincipalName(2, service.Split('/'))) with { AdditionalTickets = [evidence.Reply.Ticket] };
        return TgsAsync(tgt, body with { Options = body.Options | KdcOptionFlags.ConstrainedDelegation }, change: null, more);
    }
}

internal sealed record Credential(KdcReplyMessage Reply, EncKdcReplyPart Part)
{
    public bool IsForwardable => (Part.Flags & (uint)TicketFlags.Forwardable) != 0;
}
