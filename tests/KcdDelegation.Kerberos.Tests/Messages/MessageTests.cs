using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Kerberos.Tests.Messages;

public sealed class MessageTests
{
    public static TheoryData<string> Names => [.. Samples.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_decoded_message_encodes_to_the_same_bytes(string name)
    {
        var (bytes, reread) = Samples.All[name];
        Convert.ToHexString(reread(bytes)).ShouldBe(Convert.ToHexString(bytes));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_message_truncated_at_any_byte_is_a_KerberosException(string name)
    {
        var (bytes, reread) = Samples.All[name];
        for (var length = 0; length < bytes.Length; length++)
            Should.Throw<KerberosException>(() => reread(bytes.AsMemory(0, length)), $"{name} cut to {length} of {bytes.Length} bytes");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Bytes_after_a_message_are_rejected(string name)
    {
        var (bytes, reread) = Samples.All[name];
        Should.Throw<KerberosException>(() => reread((byte[])[.. bytes, 0x05, 0x00]));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_message_with_any_byte_changed_decodes_or_throws_KerberosException(string name)
    {
        var (bytes, reread) = Samples.All[name];
        var refused = 0;
        for (var position = 0; position < bytes.Length; position++)
        {
            // Every single bit, and bytes with a meaning in lengths and tags.
            foreach (var value in (byte[])[
                0x00, 0x30, 0x7F, 0x80, 0x84, 0xFF, .. Enumerable.Range(0, 8).Select(bit => (byte)(bytes[position] ^ (1 << bit)))])
            {
                var changed = (byte[])bytes.Clone();
                changed[position] = value;
                try
                {
                    reread(changed);
                }
                catch (KerberosException)
                {
                    refused++;
                }
            }
        }
        refused.ShouldBeGreaterThan(bytes.Length);
    }

    [Fact]
    public void An_indefinite_length_is_rejected()
    {
        byte[] bytes = [0x30, 0x80, 0xA0, 0x03, 0x02, 0x01, 0x01, 0x00, 0x00];
        Should.Throw<KerberosException>(() => EncryptedData.Decode(bytes)).Message.ShouldContain("indefinite");
    }

    [Fact]
    public void A_length_that_is_not_minimal_is_accepted()
    {
        byte[] minimal = [0x30, 0x0C, 0xA0, 0x03, 0x02, 0x01, 0x12, 0xA2, 0x05, 0x04, 0x03, 0x01, 0x02, 0x03];
        byte[] padded = [0x30, 0x82, 0x00, 0x0C, .. minimal[2..]];
        EncryptedData.Decode(padded).Cipher.ToArray().ShouldBe(EncryptedData.Decode(minimal).Cipher.ToArray());
    }

    [Fact]
    public void A_ticket_with_a_length_that_is_not_minimal_is_sent_unchanged()
    {
        byte[] odd = [0x61, 0x83, 0x00, 0x00, Samples.Ticket.Encoded.Span[1], .. Samples.Ticket.Encoded.Span[2..]];
        Samples.Ticket.Encoded.Span[1].ShouldBeLessThan((byte)0x80);
        var request = new ApRequest(ApRequest.MutualRequired, Ticket.Decode(odd), Samples.Encrypted).Encode();
        request.AsSpan().IndexOf(odd).ShouldBePositive();
        ApRequest.Decode(request).Ticket.Encoded.ToArray().ShouldBe(odd);
        Ticket.Decode(odd).EncryptedPart.Cipher.ToArray().ShouldBe(Samples.Encrypted.Cipher.ToArray());
    }

    [Fact]
    public void A_message_that_is_nested_too_deep_is_rejected()
    {
        var bytes = new List<byte>();
        for (var depth = 0; depth < 60; depth++)
            bytes.InsertRange(0, [0x30, (byte)bytes.Count]);
        Should.Throw<KerberosException>(() => EncryptedData.Decode(bytes.ToArray())).Message.ShouldContain("deeper");
    }

    [Fact]
    public void A_message_that_is_too_long_is_rejected_before_it_is_decoded() =>
        Should.Throw<KerberosException>(() => EncryptedData.Decode(new byte[MessageFormat.MaxLength + 1])).Message.ShouldContain("at most");

    [Theory]
    [InlineData("ada\u0000")]
    [InlineData("ada\r\nevil")]
    [InlineData("\u202Eada")]
    public void A_received_name_with_control_or_invisible_characters_is_rejected(string name)
    {
        var bytes = Ticket.Create("CONTOSO.TEST", new PrincipalName(1, [name]), Samples.Encrypted).Encoded;
        Should.Throw<KerberosException>(() => Ticket.Decode(bytes));
    }

    [Fact]
    public void Fields_that_a_later_version_added_are_ignored()
    {
        byte[] withUnknownField =
            [0x30, 0x11, 0xA0, 0x03, 0x02, 0x01, 0x12, 0xA2, 0x05, 0x04, 0x03, 0x01, 0x02, 0x03, 0xA9, 0x03, 0x02, 0x01, 0x07];
        EncryptedData.Decode(withUnknownField).Cipher.Length.ShouldBe(3);
    }

    [Fact]
    public void A_kvno_that_Windows_encodes_as_a_negative_number_keeps_its_bits()
    {
        byte[] bytes = [0x30, 0x14, 0xA0, 0x03, 0x02, 0x01, 0x12, 0xA1, 0x06, 0x02, 0x04, 0x80, 0x01, 0x00, 0x02, 0xA2, 0x05, 0x04, 0x03,
            0x01, 0x02, 0x03];
        EncryptedData.Decode(bytes).KeyVersion.ShouldBe(0x80010002u);
    }

    /// <summary>MS-KILE §2.2.1 as sent by Windows, and the same twelve bytes in METHOD-DATA as sent by Samba with MIT's KDC.</summary>
    [Fact]
    public void The_NTSTATUS_is_read_from_both_encodings_of_e_data()
    {
        var windows = KerbErrorData.Encode(unchecked((int)0xC0000225));
        KerbErrorData.ReadNtStatus(windows).ShouldBe(unchecked((int)0xC0000225));
        byte[] twelve = [0x6E, 0x00, 0x00, 0xC0, 0, 0, 0, 0, 1, 0, 0, 0];
        KerbErrorData.ReadNtStatus(PaData.EncodeMethodData([new PaData((PaDataType)3, twelve)])).ShouldBe(unchecked((int)0xC000006E));
    }

    [Fact]
    public void Malformed_e_data_is_ignored()
    {
        KerbErrorData.ReadNtStatus(new byte[] { 0x30, 0x7F, 0x01 }).ShouldBeNull();
        KerbErrorData.ReadNtStatus(new byte[] { 0x04, 0x01, 0x01 }).ShouldBeNull();
        KerbErrorData.ReadNtStatus(default).ShouldBeNull();
    }

    /// <summary>MS-SFU §2.2.5: the padata with only this bit is 3009A00703050010000000.</summary>
    [Fact]
    public void The_resource_based_delegation_option_has_the_bytes_of_the_specification() =>
        Convert.ToHexString(PaPacOptions.Create(PaPacOptions.ResourceBasedDelegation).Value.Span).ShouldBe("3009A00703050010000000");

    [Fact]
    public void The_signature_over_the_user_covers_name_and_realm()
    {
        var signed = PaForUser.Create(Samples.User, "CONTOSO.TEST", Samples.Key);
        signed.IsSignedBy(Samples.Key).ShouldBeTrue();
        (signed with { Realm = "OTHER.TEST" }).IsSignedBy(Samples.Key).ShouldBeFalse();
        (signed with { User = new PrincipalName(10, ["eve@contoso.test"]) }).IsSignedBy(Samples.Key).ShouldBeFalse();
        (signed with { User = new PrincipalName(1, ["ada@contoso.test"]) }).IsSignedBy(Samples.Key).ShouldBeFalse();
    }
}
