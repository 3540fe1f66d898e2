using System.Formats.Asn1;
using System.Text;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Kerberos.Tests.Messages;

/// <summary>Values that a decoder must reject, and odd ones of real KDCs that it must accept.</summary>
public sealed class StrictDecodingTests
{
    public static TheoryData<string> NotRealms =>
        ["", "CONTOSO/TEST", "CONTOSO@TEST", "CONTOSO%TEST", "CONTOSO TEST", "CONTOSO..TEST", "CONTOSO\nTEST", "CONTOSO\u202eTEST"];

    [Theory]
    [InlineData("20261122083015")]
    [InlineData("20261122083015.5Z")]
    [InlineData("20261122083015,5Z")]
    [InlineData("20261122083015+0100")]
    [InlineData("202611220830Z")]
    [InlineData("2026112208Z")]
    [InlineData("20261322083015Z")]
    [InlineData("20260229083015Z")]
    [InlineData("20261122243015Z")]
    [InlineData("20261122086015Z")]
    [InlineData("20261122083060Z")]
    [InlineData("00000101000000Z")]
    [InlineData("2026112208301 Z")]
    [InlineData("")]
    public void A_time_in_another_form_than_that_of_RFC_4120_is_rejected(string text) =>
        Should.Throw<KerberosException>(() => PaEncTimestamp.Decode(EncodeTimestamp(text)));

    [Theory]
    [InlineData("20261122083015Z", 2026)]
    [InlineData("19700101000000Z", 1970)]
    [InlineData("20370913024805Z", 2037)]
    [InlineData("99991231235959Z", 9999)]
    public void A_time_is_read_in_UTC(string text, int year)
    {
        var time = PaEncTimestamp.Decode(EncodeTimestamp(text)).Time;
        (time.Year, time.Offset).ShouldBe((year, TimeSpan.Zero));
        time.ToString("yyyyMMddHHmmss'Z'", System.Globalization.CultureInfo.InvariantCulture).ShouldBe(text);
    }

    [Theory]
    [MemberData(nameof(NotRealms))]
    public void A_realm_that_is_not_one_is_rejected_in_every_message(string realm)
    {
        Should.Throw<KerberosException>(() => Ticket.Decode(Ticket.Create(realm, Samples.Service, Samples.Encrypted).Encoded));
        Should.Throw<KerberosException>(
            () => Ticket.Decode(Ticket.Create("CONTOSO.TEST", PrincipalName.TicketGranting(realm), Samples.Encrypted).Encoded));
        var reply = new KdcReplyMessage(KdcMessageType.TgsReply, [], realm, Samples.User, Samples.Ticket, Samples.Encrypted);
        Should.Throw<KerberosException>(() => KdcReplyMessage.Decode(KdcMessageType.TgsReply, reply.Encode()));
        var part = EncKdcReplyPart.Decode(KdcMessageType.TgsReply, Samples.All["EncTGSRepPart"].Bytes) with { ServiceRealm = realm };
        Should.Throw<KerberosException>(() => EncKdcReplyPart.Decode(KdcMessageType.TgsReply, part.Encode(KdcMessageType.TgsReply)));
        var ticket = EncTicketPart.Decode(Samples.All["EncTicketPart"].Bytes) with { ClientRealm = realm };
        Should.Throw<KerberosException>(() => EncTicketPart.Decode(ticket.Encode()));
        var authenticator = Authenticator.Decode(Samples.All["Authenticator"].Bytes) with { ClientRealm = realm };
        Should.Throw<KerberosException>(() => Authenticator.Decode(authenticator.Encode()));
        Should.Throw<KerberosException>(() => S4UUserId.Decode(S4UUserId.Create(7, Samples.User, realm, 0).Encoded));
        Should.Throw<KerberosException>(
            () => KrbError.Decode((KrbError.Decode(Samples.All["KRB-ERROR"].Bytes) with { ClientRealm = realm }).Encode()));
    }

    /// <summary>Heimdal's krb5_mk_error without a server.</summary>
    [Fact]
    public void An_error_of_Heimdal_without_a_realm_is_read()
    {
        var error = KrbError.Decode(
            Samples.All["KRB-ERROR"].Bytes) with { Realm = "<unspecified realm>", Service = new PrincipalName(0, []), ClientRealm = null };
        KrbError.Decode(error.Encode()).Realm.ShouldBe("<unspecified realm>");
    }

    [Fact]
    public void The_text_of_an_error_is_printable_and_bounded()
    {
        Read("no\r\n\u202e").ShouldBe("no<U+000D><U+000A><U+202E>");
        Read("no\0").ShouldBe("no");
        Read(new string('a', 10_000)).Length.ShouldBeLessThanOrEqualTo(201);

        static string Read(string text) =>
            KrbError.Decode((KrbError.Decode(Samples.All["KRB-ERROR"].Bytes) with { Text = text }).Encode()).Text!;
    }

    [Fact]
    public void A_salt_may_hold_any_character()
    {
        var entry = new EtypeInfo2Entry(EncryptionType.Aes256CtsHmacSha1, "CONTOSO.TESTa\u0301\u0001☃", null);
        EtypeInfo2Entry.DecodeList(EtypeInfo2Entry.EncodeList([entry])).ShouldHaveSingleItem().Salt.ShouldBe(entry.Salt);
    }

    [Theory]
    [InlineData(1000, true)]
    [InlineData(1001, false)]
    public void A_list_has_at_most_1000_elements(int count, bool accepted)
    {
        var bytes = PaData.EncodeMethodData(Enumerable.Repeat(PaPacRequest.Include, count));
        if (accepted)
            PaData.DecodeMethodData(bytes).Count.ShouldBe(count);
        else
            Should.Throw<KerberosException>(() => PaData.DecodeMethodData(bytes));
    }

    [Theory]
    [InlineData(16, true)]
    [InlineData(17, false)]
    public void A_name_has_at_most_16_components(int count, bool accepted)
    {
        var bytes = Ticket.Create("CONTOSO.TEST", new PrincipalName(2, [.. Enumerable.Repeat("a", count)]), Samples.Encrypted).Encoded;
        if (accepted)
            Ticket.Decode(bytes).Service.Components.Count.ShouldBe(count);
        else
            Should.Throw<KerberosException>(() => Ticket.Decode(bytes));
    }

    [Theory]
    [InlineData(999_999, true)]
    [InlineData(1_000_000, false)]
    [InlineData(-1, false)]
    public void Microseconds_are_between_0_and_999999(int microseconds, bool accepted)
    {
        var bytes = new PaEncTimestamp(Samples.Time, microseconds).Encode();
        if (accepted)
            PaEncTimestamp.Decode(bytes).Microseconds.ShouldBe(microseconds);
        else
            Should.Throw<KerberosException>(() => PaEncTimestamp.Decode(bytes));
    }

    [Theory]
    [InlineData(4_294_967_295, true)]
    [InlineData(4_294_967_296, false)]
    [InlineData(-2_147_483_648, true)]
    [InlineData(-2_147_483_649, false)]
    public void A_key_version_has_32_bits(long version, bool accepted)
    {
        var bytes = Encode(writer =>
        {
            using (writer.PushSequence())
            {
                writer.WriteInteger(0, 18);
                writer.WriteInteger(1, version);
                writer.WriteOctets(2, new byte[] { 1 });
            }
        });
        if (accepted)
            EncryptedData.Decode(bytes).KeyVersion.ShouldBe(unchecked((uint)version));
        else
            Should.Throw<KerberosException>(() => EncryptedData.Decode(bytes));
    }

    [Theory]
    [InlineData("24 06 1B 04 61 64 61 21")]
    [InlineData("1B 02 FF FE")]
    [InlineData("0C 03 61 64 61")]
    public void A_string_that_is_constructed_not_UTF_8_or_of_another_type_is_rejected(string hex)
    {
        var bytes = Encode(writer =>
        {
            using (writer.PushSequence())
            {
                writer.WriteInteger(0, 18);
                writer.WriteField(
                    1, field => field.WriteEncodedValue(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal))));
            }
        });
        Should.Throw<KerberosException>(() => EtypeInfo2Entry.DecodeList((byte[])[0x30, (byte)bytes.Length, .. bytes]));
    }

    [Theory]
    [InlineData("AP-REQ")]
    [InlineData("AP-REP")]
    [InlineData("KRB-ERROR")]
    [InlineData("TGS-REP")]
    [InlineData("Ticket")]
    [InlineData("Authenticator")]
    public void Another_version_of_the_protocol_is_rejected(string name)
    {
        var (bytes, reread) = Samples.All[name];
        var changed = (byte[])bytes.Clone();
        changed[changed.AsSpan().IndexOf((byte[])[0xA0, 0x03, 0x02, 0x01, 0x05]) + 4] = 4;
        Should.Throw<KerberosException>(() => reread(changed));
    }

    [Theory]
    [InlineData("AP-REQ")]
    [InlineData("AP-REP")]
    [InlineData("KRB-ERROR")]
    [InlineData("AS-REP")]
    [InlineData("TGS-REP")]
    public void Another_message_type_than_that_of_the_tag_is_rejected(string name)
    {
        var (bytes, reread) = Samples.All[name];
        var changed = (byte[])bytes.Clone();
        changed[changed.AsSpan().IndexOf((byte[])[0xA1, 0x03, 0x02, 0x01]) + 4] ^= 1;
        Should.Throw<KerberosException>(() => reread(changed));
    }

    private static byte[] EncodeTimestamp(string text) => Encode(writer =>
    {
        using (writer.PushSequence())
            writer.WriteField(0, field => field.WriteEncodedValue((byte[])[24, (byte)text.Length, .. Encoding.ASCII.GetBytes(text)]));
    });

    private static byte[] Encode(Action<AsnWriter> write) => MessageFormat.Encode(write);
}
