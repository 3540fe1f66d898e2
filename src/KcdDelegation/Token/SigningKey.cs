using System.Collections.Immutable;
using System.Numerics;
using System.Security.Cryptography;
using System.Text.Json;
using KcdDelegation.Diagnosis;
using Microsoft.IdentityModel.Tokens;

namespace KcdDelegation.Token;

/// <summary>A public key that the issuer publishes (RFC 7517).</summary>
internal sealed record SigningKey
{
    private const int MinRsaBits = 2048;
    private const int MaxRsaBits = 8192;

    // RFC 7518 §3.3 and §3.5.
    private static readonly ImmutableArray<string> RsaAlgorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];

    private readonly SecurityKey? _key;

    private SigningKey(SecurityKey? key, ImmutableArray<string> algorithms, string? violation, bool isForSignatures) =>
        (_key, Algorithms, Violation, IsForSignatures) = (key, algorithms, violation, isForSignatures);

    /// <summary>Gets the algorithms that the key may verify; empty if it is not used.</summary>
    public ImmutableArray<string> Algorithms { get; }

    /// <summary>Gets the reason why the key is not used; null if it is used.</summary>
    public string? Violation { get; }

    /// <summary>Gets whether the key is published for signatures. A key for encryption may have the <c>kid</c> of one for
    /// signatures.</summary>
    public bool IsForSignatures { get; }

    /// <summary>Gets the issuer whose tokens the key may sign (the member <c>issuer</c> of Microsoft Entra), in which <c>{tenantid}</c> is
    /// the tenant of the token; null if the key does not say.</summary>
    public string? Issuer { get; private init; }

    /// <summary>Reads a key. What the key says about its own use is obeyed: <c>use</c>, <c>key_ops</c>, <c>alg</c> and the curve (RFC 7517
    /// §4.2 to §4.4).</summary>
    public static SigningKey Read(JsonElement key, string keyId)
    {
        if (key.TryGetProperty("use", out _) && GetText(key, "use") != "sig")
            return Refused("it is not for signatures", isForSignatures: false);
        if (key.TryGetProperty("key_ops", out var operations) && !HasVerify(operations))
            return Refused("its key_ops do not include verify", isForSignatures: false);
        if (key.TryGetProperty("issuer", out _) && GetText(key, "issuer") is null)
            return Refused("its issuer is not text");
        var read = GetText(key, "kty") switch
        {
            JsonWebAlgorithmsKeyTypes.RSA => ReadRsa(key, keyId),
            JsonWebAlgorithmsKeyTypes.EllipticCurve => ReadCurve(key, keyId),
            _ => Refused("it is neither RSA nor on a NIST curve"),
        };
        return read.RestrictTo(key) with { Issuer = GetText(key, "issuer") };
    }

    /// <summary>Determines whether the key created the signature.</summary>
    /// <param name="algorithm">One of <see cref="Algorithms"/>.</param>
    /// <param name="text">The signed bytes.</param>
    /// <param name="signature">The signature.</param>
    public bool IsSignature(string algorithm, byte[] text, byte[] signature)
    {
        var factory = _key!.CryptoProviderFactory;
        try
        {
            var provider = factory.CreateForVerifying(_key, algorithm);
            try
            {
                return provider.Verify(text, signature);
            }
            finally
            {
                factory.ReleaseSignatureProvider(provider);
            }
        }
        // A point that is not on its curve is found only when the key is used.
        catch (Exception error) when (error is CryptographicException or ArgumentException or NotSupportedException
            or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Determines whether the key may sign a token: whether it belongs to the token's issuer, or to the issuer of the document
    /// that published it.</summary>
    /// <remarks>The documents of Microsoft Entra also list keys that sign only for the tenant of personal accounts. Their <c>issuer</c> is
    /// the only difference.</remarks>
    public bool CanSignFor(TokenClaims token, string documentIssuer)
    {
        if (Issuer is null)
            return true;
        var issuer = token.Tenant is { } tenant ? Issuer.Replace("{tenantid}", tenant, StringComparison.Ordinal) : Issuer;
        return issuer == token.Issuer || issuer == documentIssuer;
    }

    private static SigningKey ReadRsa(JsonElement key, string keyId)
    {
        if (GetText(key, "n") is not { } modulus || GetText(key, "e") is not { } exponent || Base64UrlText.Decode(modulus) is not { } n
            || Base64UrlText.Decode(exponent) is not { Length: <= 8 } e)
            return Refused("it is malformed");
        // With the exponent 1, every text is its own signature.
        var power = new BigInteger(e, isUnsigned: true, isBigEndian: true);
        if (power < 3 || power.IsEven)
            return Refused("its exponent is not an odd number of 3 or more");
        return new BigInteger(n, isUnsigned: true, isBigEndian: true).GetBitLength() is >= MinRsaBits and <= MaxRsaBits
            ? Used(new JsonWebKey { Kty = JsonWebAlgorithmsKeyTypes.RSA, KeyId = keyId, Kid = keyId, N = modulus, E = exponent },
                RsaAlgorithms)
            : Refused($"RSA has to have {MinRsaBits} to {MaxRsaBits} bits");
    }

    private static SigningKey ReadCurve(JsonElement key, string keyId)
    {
        // RFC 7518 §3.4 ties each algorithm to one curve.
        var (algorithm, length) = GetText(key, "crv") switch
        {
            JsonWebKeyECTypes.P256 => ("ES256", 32),
            JsonWebKeyECTypes.P384 => ("ES384", 48),
            JsonWebKeyECTypes.P521 => ("ES512", 66),
            _ => (null, 0),
        };
        if (algorithm is null)
            return Refused("it is neither RSA nor on a NIST curve");
        // RFC 7518 §6.2.1.2: the coordinates have the length of the curve.
        if (GetText(key, "x") is not { } x || GetText(key, "y") is not { } y || Base64UrlText.Decode(x)?.Length != length
            || Base64UrlText.Decode(y)?.Length != length)
            return Refused("it is malformed");
        return Used(
            new JsonWebKey
            {
                Kty = JsonWebAlgorithmsKeyTypes.EllipticCurve,
                KeyId = keyId,
                Kid = keyId,
                Crv = GetText(key, "crv"),
                X = x,
                Y = y,
            },
            [algorithm]);
    }

    /// <summary>Restricts the algorithms to the key's <c>alg</c>, if it has one.</summary>
    private SigningKey RestrictTo(JsonElement key)
    {
        if (Violation is not null || !key.TryGetProperty("alg", out _))
            return this;
        var algorithm = GetText(key, "alg");
        return algorithm is not null && Algorithms.Contains(algorithm, StringComparer.Ordinal)
            ? Used(_key!, [algorithm])
            : Refused($"its alg {PrintableText.Quoted(PrintableText.From(algorithm, 48))} is not one for signatures with such a key");
    }

    /// <summary>Determines whether the operations of a key include verify. They are an array of texts (RFC 7517 §4.3).</summary>
    private static bool HasVerify(JsonElement operations) =>
        operations.ValueKind == JsonValueKind.Array
            && operations.EnumerateArray().All(static item => item.ValueKind == JsonValueKind.String)
            && operations.EnumerateArray().Any(static item => item.ValueEquals("verify"));

    private static SigningKey Used(SecurityKey key, ImmutableArray<string> algorithms) =>
        new(key, algorithms, violation: null, isForSignatures: true);

    private static SigningKey Refused(string why, bool isForSignatures = true) => new(key: null, algorithms: [], why, isForSignatures);

    private static string? GetText(JsonElement key, string name) =>
        key.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
