using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Kerberos.Tests.Messages;

/// <summary>One message of every type, with every optional field, and a function that decodes and encodes it.</summary>
internal static class Samples
{
    public static readonly DateTimeOffset Time = new(2026, 11, 22, 8, 30, 15, TimeSpan.Zero);

    public static readonly PrincipalName User = new(10, ["ada@contoso.test"]);

    public static readonly PrincipalName Service = new(2, ["HTTP", "web.contoso.test"]);

    public static readonly KerberosKey Key =
        new(EncryptionType.Aes128CtsHmacSha1, new byte[] { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 });

    public static readonly EncryptedData Encrypted = new(EncryptionType.Aes256CtsHmacSha1, 4_000_000_000, new byte[] { 1, 2, 3 });

    public static readonly Ticket Ticket = Ticket.Create("CONTOSO.TEST", Service, Encrypted);

    public static readonly KdcRequestBody Body = new()
    {
        Options = KdcOptionFlags.Forwardable | KdcOptionFlags.ConstrainedDelegation, Client = User, Realm = "CONTOSO.TEST",
            Service = Service,
        Till = Time, RenewTill = Time.AddDays(7), Nonce = 0x7FFF_FFFF,
            EncryptionTypes = [EncryptionType.Aes256CtsHmacSha1, EncryptionType.Rc4Hmac],
        AdditionalTickets = [Ticket],
    };

    /// <summary>Name, bytes, and a reader that gives the bytes of what it read.</summary>
    public static IReadOnlyDictionary<string, (byte[] Bytes, Func<ReadOnlyMemory<byte>, byte[]> Reread)> All { get; } =
        new Dictionary<string, (byte[], Func<ReadOnlyMemory<byte>, byte[]>)>(StringComparer.Ordinal)
        {
            ["EncryptedData"] = (Encrypted.Encode(), bytes => EncryptedData.Decode(bytes).Encode()),
            ["Ticket"] = (Ticket.Encoded.ToArray(), bytes =>
                Ticket.Decode(bytes) is var ticket ? Ticket.Create(ticket.Realm, ticket.Service, ticket.EncryptedPart).Encoded.ToArray()
                : []),
            ["KDC-REQ-BODY"] = (Body.Encode(), bytes => KdcRequestBody.Decode(bytes).Encode()),
            ["TGS-REQ"] = (new KdcRequestMessage(KdcMessageType.TgsRequest, [PaPacRequest.Include], Body.Encode()).Encode(), bytes =>
                KdcRequestMessage.Decode(bytes).Encode()),
            ["AS-REP"] = Reply(KdcMessageType.AsReply),
            ["TGS-REP"] = Reply(KdcMessageType.TgsReply),
            ["EncASRepPart"] = Part(KdcMessageType.AsReply),
            ["EncTGSRepPart"] = Part(KdcMessageType.TgsReply),
            ["EncTicketPart"] = (new EncTicketPart
            {
                Flags = 0x40a00000, Key = Key, ClientRealm = "CONTOSO.TEST", Client = User, AuthTime = Time, StartTime = Time,
                    EndTime = Time.AddHours(1),
                RenewTill = Time.AddDays(1), AuthorizationData = [new AuthorizationDataEntry(1, new byte[] { 9 })],
            }.Encode(), bytes => EncTicketPart.Decode(bytes).Encode()),
            ["AP-REQ"] = (new ApRequest(ApRequest.MutualRequired, Ticket, Encrypted).Encode(), bytes => ApRequest.Decode(bytes).Encode()),
            ["AP-REP"] = (new ApReply(Encrypted).Encode(), bytes => ApReply.Decode(bytes).Encode()),
            ["EncAPRepPart with a sequence number"] = (new EncApReplyPart(Time, 1) { SequenceNumber = 0xFFFF_FFFE }.Encode(),
                bytes => EncApReplyPart.DecodeWithKey(bytes).Encode()),
            ["KRB-PRIV"] = (new KrbPrivate(Encrypted).Encode(), bytes => KrbPrivate.Decode(bytes).Encode()),
            ["EncKrbPrivPart"] = (new EncKrbPrivatePart
                {
                    UserData = new byte[] { 1, 2 }, Time = Time, Microseconds = 7, SequenceNumber = 0xFFFF_FFFE,
                    Sender = new HostAddress(2, new byte[] { 127, 0, 0, 1 }), Recipient = new HostAddress(24, new byte[16]),
                }.Encode(), bytes => EncKrbPrivatePart.Decode(bytes).Encode()),
            ["password message"] = (new PasswordMessage(new byte[] { 1, 2, 3 }, new byte[] { 4, 5 }).Encode(),
                bytes => PasswordMessage.Decode(bytes).Encode()),
            ["password result"] = (new PasswordResult(PasswordResultCode.PolicyViolation, "too soon").Encode(),
                bytes => PasswordResult.Decode(bytes) is { Text: "too soon" } result ? result.Encode()
                    : throw KerberosException.Rejected("another text")),
            ["EncAPRepPart"] = (new EncApReplyPart(Time, 999_999).Encode(), bytes => EncApReplyPart.Decode(bytes).Encode()),
            ["Authenticator"] = (new Authenticator
            {
                ClientRealm = "CONTOSO.TEST", Client = User, Checksum = new ChecksumField(ChecksumType.Gss, new byte[24]),
                    Microseconds = 32_768, Time = Time,
                Subkey = Key, SequenceNumber = 0x4000_0001, AuthorizationData = [new AuthorizationDataEntry(1, new byte[] { 9 })],
            }.Encode(), bytes => Authenticator.Decode(bytes).Encode()),
            ["KRB-ERROR"] = (new KrbError
            {
                ServerTime = Time, Code = KerberosErrorCode.BadOption, ClientRealm = "CONTOSO.TEST", Realm = "CONTOSO.TEST",
                    Service = Service, Text = "no", Data = new byte[] { 1 },
            }.Encode(), bytes => KrbError.Decode(bytes).Encode()),
            ["METHOD-DATA"] =
                (PaData.EncodeMethodData([PaPacRequest.Include]), bytes => PaData.EncodeMethodData(PaData.DecodeMethodData(bytes))),
            ["ETYPE-INFO2"] =
                (EtypeInfo2Entry.EncodeList([new EtypeInfo2Entry(EncryptionType.Aes256CtsHmacSha1, "SALTé", new byte[] { 0, 0, 16, 0 })]),
                bytes => EtypeInfo2Entry.EncodeList(EtypeInfo2Entry.DecodeList(bytes))),
            ["PA-ENC-TS-ENC"] = (new PaEncTimestamp(Time, 1).Encode(), bytes => PaEncTimestamp.Decode(bytes).Encode()),
            ["PA-FOR-USER"] =
                (PaForUser.Create(User, "CONTOSO.TEST", Key).ToPaData().Value.ToArray(), bytes =>
                PaForUser.Decode(bytes).ToPaData().Value.ToArray()),
            ["PA-S4U-X509-USER"] =
                (PaS4UX509User.Create(
                S4UUserId.Create(7, User, "CONTOSO.TEST", S4UUserId.UseReplyKeyUsage), Key, KeyUsage.PaS4UX509UserRequest)
                .ToPaData().Value.ToArray(), bytes => PaS4UX509User.Decode(bytes).ToPaData().Value.ToArray()),
            ["PA-PAC-OPTIONS"] =
                (PaPacOptions.Create(PaPacOptions.ResourceBasedDelegation).Value.ToArray(), bytes =>
                PaPacOptions.Create(PaPacOptions.Decode(bytes)).Value.ToArray()),
        };

    private static (byte[], Func<ReadOnlyMemory<byte>, byte[]>) Reply(KdcMessageType type) =>
        (new KdcReplyMessage(type, [PaPacRequest.Include], "CONTOSO.TEST", User, Ticket, Encrypted).Encode(), bytes =>
            KdcReplyMessage.Decode(type, bytes).Encode());

    private static (byte[], Func<ReadOnlyMemory<byte>, byte[]>) Part(KdcMessageType type) => (new EncKdcReplyPart
    {
        Key = Key, Nonce = 5, Flags = 0x40a00000, AuthTime = Time, StartTime = Time, EndTime = Time.AddHours(1),
            RenewTill = Time.AddDays(1),
        ServiceRealm = "CONTOSO.TEST", Service = Service, EncryptedPaData = [PaPacRequest.Include],
    }.Encode(type), bytes => EncKdcReplyPart.Decode(type, bytes).Encode(type));
}
