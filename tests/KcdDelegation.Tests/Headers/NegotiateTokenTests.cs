using System.Security.Cryptography;

namespace KcdDelegation.Tests.Headers;

public sealed class NegotiateTokenTests
{
    public static TheoryData<string, byte[], NegotiateTokenKind> Kinds => new()
    {
        { "AP-REQ in GSS", Tokens.ApRequest(), NegotiateTokenKind.Kerberos },
        { "AP-REQ in GSS with Microsoft's identifier", Tokens.Gss(Tokens.MicrosoftKerberos, [1, 0, .. Tokens.Message(14)]),
            NegotiateTokenKind.Kerberos },
        { "AP-REP in GSS", Tokens.ApReply(), NegotiateTokenKind.KerberosReply },
        { "AP-REP bare", Tokens.Message(15), NegotiateTokenKind.KerberosReply },
        { "KRB-ERROR in GSS", Tokens.KrbError(), NegotiateTokenKind.KerberosError },
        { "KRB-ERROR bare", Tokens.Message(30), NegotiateTokenKind.KerberosError },
        { "AP-REQ bare", Tokens.Message(14), NegotiateTokenKind.BareApRequest },
        { "SPNEGO with Kerberos", Tokens.NegTokenInit([Tokens.MicrosoftKerberos, Tokens.Kerberos], Tokens.ApRequest()),
            NegotiateTokenKind.SpnegoKerberos },
        { "SPNEGO that prefers Kerberos", Tokens.NegTokenInit([Tokens.Kerberos, Tokens.Ntlm]), NegotiateTokenKind.SpnegoKerberos },
        { "SPNEGO with NTLM", Tokens.NegTokenInit([Tokens.Ntlm], Tokens.NtlmMessage(1)), NegotiateTokenKind.SpnegoNtlm },
        { "SPNEGO that names Kerberos and carries NTLM", Tokens.NegTokenInit([Tokens.Kerberos, Tokens.Ntlm], Tokens.NtlmMessage(1)),
            NegotiateTokenKind.SpnegoNtlm },
        { "SPNEGO that prefers NTLM", Tokens.NegTokenInit([Tokens.Ntlm, Tokens.Kerberos]), NegotiateTokenKind.SpnegoNtlm },
        { "SPNEGO with NegoEx", Tokens.NegTokenInit([Tokens.NegoEx, Tokens.Kerberos], [.. "NEGOEXTS"u8, 0, 0]),
            NegotiateTokenKind.SpnegoOther },
        { "SPNEGO answer", Tokens.NegTokenResp(0, Tokens.Kerberos, Tokens.ApReply()), NegotiateTokenKind.SpnegoResponse },
        { "SPNEGO answer with a state only", Convert.FromBase64String("oQcwBaADCgEA"), NegotiateTokenKind.SpnegoResponse },
        { "NTLM 1", Tokens.NtlmMessage(1), NegotiateTokenKind.NtlmNegotiate },
        { "NTLM 2", Tokens.NtlmMessage(2), NegotiateTokenKind.NtlmChallenge },
        { "NTLM 3", Tokens.NtlmMessage(3), NegotiateTokenKind.NtlmAuthenticate },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Each_kind_is_recognized_by_its_object_identifier(string name, byte[] bytes, NegotiateTokenKind kind)
    {
        NegotiateToken.TryParse(bytes, out var token).ShouldBeTrue(name);
        token!.Kind.ShouldBe(kind, name);
    }

    [Theory]
    [InlineData("Negotiate ")]
    [InlineData("negotiate   ")]
    [InlineData("KERBEROS ")]
    [InlineData("NTLM ")]
    [InlineData("  ")]
    [InlineData("")]
    public void A_header_value_is_read_with_its_scheme_in_any_case_or_without(string before)
    {
        NegotiateToken.TryParse(before + Convert.ToBase64String(Tokens.ApRequest()) + " ", out var token).ShouldBeTrue();
        token!.Kind.ShouldBe(NegotiateTokenKind.Kerberos);
    }

    [Fact]
    public void Raw_Kerberos_and_SPNEGO_with_the_same_beginning_are_distinguished()
    {
        var raw = Convert.ToBase64String(Tokens.ApRequest(1000));
        var spnego = Convert.ToBase64String(Tokens.NegTokenInit([Tokens.Kerberos], Tokens.ApRequest(1000)));
        raw[..3].ShouldBe("YII");
        spnego[..3].ShouldBe("YII");

        NegotiateToken.TryParse(raw, out var first).ShouldBeTrue();
        NegotiateToken.TryParse(spnego, out var second).ShouldBeTrue();
        (first!.Kind, second!.Kind).ShouldBe((NegotiateTokenKind.Kerberos, NegotiateTokenKind.SpnegoKerberos));
    }

    [Fact]
    public void A_NegTokenInit_yields_its_mechanisms_in_order_and_its_token()
    {
        var inner = Tokens.ApRequest();
        NegotiateToken.TryParse(
            Tokens.NegTokenInit([Tokens.MicrosoftKerberos, Tokens.Kerberos, Tokens.Ntlm, "1.2.3.4"], inner), out var token).ShouldBeTrue();

        token!.Mechanisms.ShouldBe([Tokens.MicrosoftKerberos, Tokens.Kerberos, Tokens.Ntlm, "1.2.3.4"]);
        token.MechanismToken.ToArray().ShouldBe(inner);
        token.ToString().ShouldBe($"SpnegoKerberos ({Tokens.MicrosoftKerberos}, {Tokens.Kerberos}, {Tokens.Ntlm}, 1.2.3.4)");
    }

    [Fact]
    public void A_NegTokenResp_yields_the_chosen_mechanism_and_its_token()
    {
        NegotiateToken.TryParse(Tokens.NegTokenResp(1, Tokens.Kerberos, [1, 2, 3]), out var token).ShouldBeTrue();
        token!.Mechanisms.ShouldBe([Tokens.Kerberos]);
        token.MechanismToken.ToArray().ShouldBe([1, 2, 3]);
    }

    [Theory]
    [InlineData("a107 3005 a003 0a0100", true)]
    // negState reject, then negState accept-completed.
    [InlineData("a10c 300a a003 0a0102 a003 0a0100", false)]
    [InlineData("a10e 300c a003 0a0100 a105 0603 2a0304", true)]
    // supportedMech twice, before negState, and responseToken twice.
    [InlineData("a110 300e a105 0603 2a0304 a105 0603 2a0305", false)]
    [InlineData("a10e 300c a105 0603 2a0304 a003 0a0100", false)]
    [InlineData("a10d 300b a203 040101 a204 04020102", false)]
    public void Each_field_of_a_NegTokenResp_occurs_once_and_in_order(string hex, bool isToken) =>
        NegotiateToken.TryParse(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)), out _).ShouldBe(isToken);

    [Theory]
    [InlineData("a209 04073132333435 36 37", true)]
    // Two values of mechToken: which one is checked must not depend on the reader.
    [InlineData("a203 040141 a203 040142", false)]
    [InlineData("a203 040141 a104 03020100", false)]
    [InlineData("a203 040141 a303 040142", true)]
    public void Each_field_of_a_NegTokenInit_occurs_once_and_in_order(string fields, bool isToken)
    {
        byte[] mechanisms = [0xa0, 0x07, 0x30, 0x05, 0x06, 0x03, 0x2a, 0x03, 0x04];
        byte[] all = [.. mechanisms, .. Convert.FromHexString(fields.Replace(" ", "", StringComparison.Ordinal))];

        NegotiateToken.TryParse([0xa0, (byte)(all.Length + 2), 0x30, (byte)all.Length, .. all], out _).ShouldBe(isToken);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Negotiate")]
    [InlineData("Negotiate ")]
    [InlineData("Bearer YIIB")]
    [InlineData("Negotiate not base64!")]
    [InlineData("YII")]
    [InlineData("oYCgAAAA")]
    [InlineData("TlRMTVNTUAA=")]
    public void Text_that_is_no_token_is_rejected(string text) => NegotiateToken.TryParse(text, out _).ShouldBeFalse();

    [Fact]
    public void Indefinite_lengths_are_refused()
    {
        NegotiateToken.TryParse([0x6e, 0x80, 0x04, 0x00, 0x00, 0x00], out _).ShouldBeFalse();
        byte[] spnego = [0x60, 0x0c, 0x06, 0x06, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x02, 0xa0, 0x80, 0x00, 0x00];
        NegotiateToken.TryParse(spnego, out _).ShouldBeFalse();
    }

    [Fact]
    public void A_list_with_more_mechanisms_than_anyone_offers_is_refused() =>
        NegotiateToken.TryParse(Tokens.NegTokenInit([.. Enumerable.Range(0, 1000).Select(number => $"1.2.{number}")]), out _)
            .ShouldBeFalse();

    [Fact]
    public void SPNEGO_nested_in_SPNEGO_is_not_opened_again()
    {
        var token = Tokens.ApRequest();
        for (var depth = 0; depth < 1000; depth++)
            token = Tokens.NegTokenInit([Tokens.Spnego], token);

        NegotiateToken.TryParse(token, out var parsed).ShouldBeTrue();
        parsed!.Kind.ShouldBe(NegotiateTokenKind.SpnegoOther);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Truncated_tokens_are_parsed_without_an_exception(string name, byte[] bytes, NegotiateTokenKind kind)
    {
        for (var length = 0; length < bytes.Length; length++)
        {
            if (NegotiateToken.TryParse(bytes.AsSpan(0, length), out var token))
                token.Kind.ShouldBe(kind, $"{name} cut to {length} bytes");
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Mutated_tokens_never_throw_and_never_take_more_memory_than_a_few_times_their_size(
        string name, byte[] bytes, NegotiateTokenKind kind)
    {
        Enum.IsDefined(kind).ShouldBeTrue(name);
        for (var position = 0; position < bytes.Length; position++)
        {
            foreach (var value in (byte[])[0x00, 0x1f, 0x7f, 0x80, 0x84, 0x88, 0xff, (byte)(bytes[position] ^ 1)])
            {
                var mutated = bytes.ToArray();
                mutated[position] = value;
                var before = GC.GetAllocatedBytesForCurrentThread();
                GetKind(mutated);
                // The constant allows for the first throw of an exception, which does not depend on the input.
                (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(64_000, $"{name}, byte {position} = {value:x2}");
            }
        }
    }

    [Fact]
    public void Random_bytes_are_parsed_without_an_exception()
    {
        for (var round = 0; round < 5_000; round++)
        {
            byte[] noise = [.. (ReadOnlySpan<byte>)[0x60, 0xa0, 0xa1, 0x6e], .. RandomNumberGenerator.GetBytes(40)];
            NegotiateToken.TryParse(Convert.ToBase64String(noise), out var token).ShouldBe(GetKind(noise) is not null);
            (token?.Kind).ShouldBe(GetKind(noise));
            GetKind(noise.AsSpan(1 + (round % 4))).ShouldNotBe(NegotiateTokenKind.NtlmNegotiate);
        }
        GetKind([]).ShouldBeNull();
    }

    private static NegotiateTokenKind? GetKind(ReadOnlySpan<byte> bytes) =>
        NegotiateToken.TryParse(bytes, out var token) ? token.Kind : null;
}
