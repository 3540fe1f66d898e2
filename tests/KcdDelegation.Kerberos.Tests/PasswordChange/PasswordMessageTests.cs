using System.Net;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Kerberos.Tests.PasswordChange;

/// <summary>The encodings of RFC 3244 and of KRB-PRIV against bytes written by hand from the specifications.</summary>
public sealed class PasswordMessageTests
{
    [Fact]
    public void The_private_part_has_the_encoding_of_RFC_4120()
    {
        var part = new EncKrbPrivatePart
        {
            UserData = "pw"u8.ToArray(), SequenceNumber = 0x0102_0304, Sender = HostAddress.From(IPAddress.Parse("127.0.0.10")),
        };
        Convert.ToHexString(part.Encode()).ShouldBe(
            // [APPLICATION 28] SEQUENCE
            "7C21301F"
            // [0] OCTET STRING "pw"
            + "A00404027077"
            // [3] INTEGER 01020304
            + "A306020401020304"
            // [4] SEQUENCE { [0] INTEGER 2, [1] OCTET STRING 7F00000A }
            + "A40F300DA003020102A10604047F00000A");
    }

    [Fact]
    public void The_message_has_its_length_version_and_the_length_of_the_AP_REQ_in_front() =>
        Convert.ToHexString(new PasswordMessage(new byte[] { 0xAA, 0xBB }, new byte[] { 0xCC }).Encode())
            .ShouldBe("0009" + "0001" + "0002" + "AABB" + "CC");

    [Theory]
    [InlineData("127.0.0.1", 2, "7F000001")]
    [InlineData("::ffff:127.0.0.1", 2, "7F000001")]
    [InlineData("2001:db8::1", 24, "20010DB8000000000000000000000001")]
    public void An_address_has_the_type_of_RFC_4120_and_IPv4_in_IPv6_form_is_IPv4(string address, int type, string bytes)
    {
        var encoded = HostAddress.From(IPAddress.Parse(address));
        (encoded.Type, Convert.ToHexString(encoded.Address.Span)).ShouldBe((type, bytes));
    }

    [Theory]
    [InlineData("00080001000000000000")]
    [InlineData("FFFF0001000000000000")]
    [InlineData("000AFF80000000000000")]
    [InlineData("000A0002000000000000")]
    [InlineData("000A00010005AAAAAAAA")]
    [InlineData("0006")]
    [InlineData("")]
    public void A_message_with_a_wrong_length_or_version_is_rejected(string message)
    {
        PasswordMessage.Decode(Convert.FromHexString("000A0001000000000000")).Content.Length.ShouldBe(4);
        Should.Throw<KerberosException>(() => PasswordMessage.Decode(Convert.FromHexString(message)));
    }

    [Fact]
    public void A_policy_of_Active_Directory_is_described_in_words()
    {
        // Minimum length 7, history 24, complexity, maximum age 42 days, minimum age 1 day (RFC 3244 reply of a domain controller).
        var policy = Convert.FromHexString(
            "0004" + "0000" + "00000007" + "00000018" + "00000001" + "0000210024FDC000" + "000000C92A69C000");
        var result = PasswordResult.Decode(policy);
        result.Code.ShouldBe(PasswordResultCode.PolicyViolation);
        result.Text.ShouldBe("the domain's policy for passwords is: at least 7 characters, none of the last 24 passwords, complex, "
            + "at least 1.00:00:00 (d.hh:mm:ss) between two changes");
    }

    [Theory]
    [InlineData("0000", PasswordResultCode.Success, "")]
    [InlineData("00004F4B00", PasswordResultCode.Success, "OK")]
    [InlineData("00056E6F0D0A", PasswordResultCode.AccessDenied, "no")]
    public void A_text_of_the_server_is_read_in_printable_form(string bytes, object code, string text)
    {
        var result = PasswordResult.Decode(Convert.FromHexString(bytes));
        result.Code.ShouldBe(code);
        result.Text.ShouldStartWith(text);
        result.Text.ShouldNotContain("\n");
    }

    [Theory]
    [InlineData("")]
    [InlineData("00")]
    [InlineData("0008")]
    [InlineData("FFFF")]
    public void A_result_without_a_known_code_is_neither_a_success_nor_a_refusal(string bytes) =>
        Should.Throw<KerberosException>(() => PasswordResult.Decode(Convert.FromHexString(bytes)));
}
