using System.Buffers.Text;
using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KcdDelegation.Fuzzing;
using KcdDelegation.Http;
using KcdDelegation.Tests.Headers;
using KcdDelegation.Tests.Token;
using KcdDelegation.Token;
using Decoder = KcdDelegation.Fuzzing.Decoder;

namespace KcdDelegation.Tests.Fuzz;

/// <summary>Every decoder of the library that reads bytes from outside, with the exceptions that it documents.</summary>
internal static class LibraryDecoders
{
    private static readonly byte[][] s_tokens =
    [
        Tokens.ApRequest(), Tokens.ApReply(), Tokens.KrbError(), Tokens.NtlmMessage(1), Tokens.NtlmMessage(2), Tokens.Message(14),
        Tokens.NegTokenInit([Tokens.Kerberos, Tokens.MicrosoftKerberos, Tokens.Ntlm], Tokens.ApRequest()),
            Tokens.NegTokenInit([Tokens.NegoEx]),
        Tokens.NegTokenResp(0, Tokens.Kerberos, Tokens.ApReply()), Tokens.NegTokenResp(1, Tokens.Ntlm), Tokens.NegTokenResp(2),
    ];

    public static IReadOnlyList<Decoder> All { get; } =
    [
        new("negotiate-token", [], s_tokens, bytes => NegotiateToken.TryParse(bytes, out var token) ? $"{token} {token.Response}" : ""),
        new("negotiate-header", [], [.. s_tokens.Select(token => Encoding.Latin1.GetBytes($"Negotiate {Convert.ToBase64String(token)}"))],
            bytes => NegotiateToken.TryParse(Encoding.Latin1.GetString(bytes), out var token) ? $"{token}" : "") { Mutations = 2_000 },
        new("www-authenticate", [], [.. Challenges.Samples], Challenges.Read)
        {
            Extremes = [.. new[] { "Negotiate YII=, ", "Basic realm=\"a\\\"b\", ", ",", "a=", "\"", "Negotiate " }.Select(
                part => Encoding.Latin1.GetBytes(string.Concat(Enumerable.Repeat(part, 60_000 / part.Length))))],
        },
        new("certificate", [], SeedFiles.Read("certificate-samples"), Certificates.Bind)
        {
            Mutations = 4_000,
            Extremes = [.. Certificates.Damaged],
        },
        new("bearer-token", [typeof(KcdException)], [Encoding.ASCII.GetBytes(BearerTokens.Token)], bytes =>
            BearerTokens.Validate(Encoding.Latin1.GetString(bytes)))
        {
            Extremes = BearerTokens.Extremes,
        },
        new("id-token", [typeof(KcdException)], [Encoding.ASCII.GetBytes(BearerTokens.IdToken)], bytes =>
            BearerTokens.ValidateId(Encoding.Latin1.GetString(bytes))) { Extremes = BearerTokens.Extremes },
        new("bearer-header", [typeof(KcdException)], [BearerTokens.Header], bytes =>
            BearerTokens.Validate(BearerTokens.Sign(bytes, BearerTokens.Payload))) { Mutations = 1_000 },
        new("bearer-payload", [typeof(KcdException)], [BearerTokens.Payload], bytes =>
            BearerTokens.Validate(BearerTokens.Sign(BearerTokens.Header, bytes)))
        {
            Mutations = 1_000,
            Extremes = [Encoding.UTF8.GetBytes($"{{\"exp\":{new string('[', 30_000)}{new string(']', 0)}"),
                Encoding.UTF8.GetBytes($"{{{string.Join(',', Enumerable.Range(0, 4_000).Select(number => $"\"a{number}\":1"))}}}")],
        },
        new("discovery-document", [typeof(KcdException)], [BearerTokens.Discovery], bytes =>
            BearerTokens.ValidateWith(discovery: bytes)) { Mutations = 1_000 },
        new("key-document", [typeof(KcdException)], [BearerTokens.KeyDocument], bytes =>
            BearerTokens.ValidateWith(keys: bytes)) { Mutations = 1_000 },
    ];
}

/// <summary>Values of <c>WWW-Authenticate</c>.</summary>
internal static class Challenges
{
    public static IEnumerable<byte[]> Samples { get; } = new[]
    {
        "Negotiate", "Negotiate YIIBhwYGKwYBBQUCoIIBezCCAXc=, Basic realm=\"a, \\\"b\\\"\"",
            "NTLM, Negotiate, Digest realm=\"x\", nonce=abc, qop=\"auth,auth-int\"",
        "Kerberos " + Convert.ToBase64String(Tokens.ApReply()), "Negotiate "
            + Convert.ToBase64String(Tokens.NegTokenResp(0, Tokens.Kerberos, Tokens.ApReply())),
    }.Select(Encoding.Latin1.GetBytes);

    public static string Read(byte[] bytes)
    {
        using var response = new HttpResponseMessage(HttpStatusCode.Unauthorized);
        response.Headers.TryAddWithoutValidation("WWW-Authenticate", Encoding.Latin1.GetString(bytes));
        var answer = BackendAnswer.Read(response);
        // Only schemes are printed; the token alphabet of RFC 9110 is what they consist of.
        return $"{string.Join(' ', answer.Challenges.Select(challenge => challenge.Scheme))} {answer.State} {answer.IsNtlm}";
    }
}

/// <summary>Server certificates. What the platform refuses to load never reaches the library.</summary>
internal static class Certificates
{
    private const string RsaPss = "1.2.840.113549.1.1.10";

    /// <summary>Gets certificates whose parameters of RSASSA-PSS are of other types.</summary>
    public static IEnumerable<byte[]> Damaged { get; } =
        new byte[][] { [0x05, 0x00], [0x30, 0x02, 0xa0, 0x00], [0x30, 0x02, 0x05, 0x00], [0x04, 0x00],
        [0x30, 0x04, 0xa1, 0x02, 0x30, 0x00] }
        .Select(parameters => WithAlgorithm(SeedFiles.Read("certificate-samples")[0], parameters));

    public static string Bind(byte[] bytes)
    {
        X509Certificate2 certificate;
        try
        {
            certificate = X509CertificateLoader.LoadCertificate(bytes);
        }
        catch (CryptographicException)
        {
            return "";
        }
        using (certificate)
            return Convert.ToHexString(TlsServerEndPoint.CreateApplicationData(certificate).Span);
    }

    /// <summary>The certificate with other parameters of RSASSA-PSS outside the signed part, where the library reads them.</summary>
    private static byte[] WithAlgorithm(byte[] certificate, byte[] parameters)
    {
        var fields = new AsnReader(certificate, AsnEncodingRules.DER).ReadSequence();
        var signed = fields.ReadEncodedValue();
        fields.ReadEncodedValue();
        var signature = fields.ReadEncodedValue();
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteEncodedValue(signed.Span);
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier(RsaPss);
                writer.WriteEncodedValue(parameters);
            }
            writer.WriteEncodedValue(signature.Span);
        }
        return writer.Encode();
    }
}

/// <summary>Bearer tokens of a fake issuer, and its documents. The parts of a token are signed as they are, so that what reads them after
/// the signature sees them too.</summary>
internal static class BearerTokens
{
    private const string CurveKey = "curve";

    private static readonly ECDsa s_curve = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private static readonly FakeIssuer s_issuer = CreateIssuer();
    private static readonly TokenValidator s_validator = s_issuer.Validator();

    public static string Token { get; } = s_issuer.Token();

    public static string IdToken { get; } = s_issuer.Sign(FakeIssuer.Header(), s_issuer.IdPayload());

    /// <summary>Gets texts of which no part is a token, and tokens whose parts end with every character of the alphabet.</summary>
    public static byte[][] Extremes { get; } =
    [
        [.. Enumerable.Repeat((byte)'.', 60_000)], [.. Enumerable.Repeat((byte)'A', 60_000)], "X0.."u8.ToArray(), "X0.X0.X0"u8.ToArray(),
        .. "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/ \0\n\u00ff".SelectMany(last => new[]
        {
            Encoding.Latin1.GetBytes($"X{last}.."), Encoding.Latin1.GetBytes($"e3{last}.e30.e30"),
            Encoding.Latin1.GetBytes($"{Token[..Token.IndexOf('.', StringComparison.Ordinal)]}.e3{last}.AA{last}"),
            Encoding.Latin1.GetBytes($"{Token[..^1]}{last}"), Encoding.Latin1.GetBytes($"{Token}{last}"),
        }),
    ];

    public static byte[] Header { get; } = Encoding.UTF8.GetBytes($$"""{"alg":"ES256","typ":"JWT","kid":"{{CurveKey}}"}""");

    public static byte[] Payload { get; } = Encoding.UTF8.GetBytes(s_issuer.Payload().ToJsonString());

    public static byte[] Discovery { get; } = Encoding.UTF8.GetBytes(s_issuer.Discovery.ToJsonString());

    public static byte[] KeyDocument { get; } =
        Encoding.UTF8.GetBytes($$"""{"keys":[{{string.Join(',', s_issuer.PublishedKeys.Select(key => key.ToJsonString()))}}]}""");

    public static string Validate(string token) => Validate(s_validator, token);

    public static string ValidateId(string token)
    {
        s_validator.ValidateAsync(token, TokenKind.IdToken, "n-1", TestContext.Current.CancellationToken)
            .AsTask().GetAwaiter().GetResult();
        return "";
    }

    /// <summary>Validates the good token with another document of the issuer.</summary>
    public static string ValidateWith(byte[]? discovery = null, byte[]? keys = null)
    {
        using var issuer = CreateIssuer();
        issuer.Instead = request => request.RequestUri!.AbsolutePath.EndsWith("openid-configuration", StringComparison.Ordinal)
            ? discovery is null ? null : Answer(discovery)
            : keys is null ? null : Answer(keys);
        return Validate(issuer.Validator(), Token);
    }

    public static string Sign(byte[] header, byte[] payload)
    {
        var signed = $"{Base64Url.EncodeToString(header)}.{Base64Url.EncodeToString(payload)}";
        return $"{signed}.{Base64Url.EncodeToString(s_curve.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
    }

    private static string Validate(TokenValidator validator, string token)
    {
        validator.ValidateAsync(token, TestContext.Current.CancellationToken).AsTask().GetAwaiter().GetResult();
        return "";
    }

    private static FakeIssuer CreateIssuer()
    {
        var issuer = new FakeIssuer();
        issuer.Publish(CurveKey, s_curve);
        return issuer;
    }

    private static HttpResponseMessage Answer(byte[] body) => new(HttpStatusCode.OK) { Content = new ByteArrayContent(body) };
}
