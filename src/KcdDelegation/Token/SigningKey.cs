using System.Buffers.Text;
using System.Numerics;
using System.Text.Json;
using Microsoft.IdentityModel.Tokens;

namespace KcdDelegation.Token;

/// <summary>A public key that the issuer publishes (RFC 7517). Only the members that define the key are used.</summary>
/// <param name="Key">The key; null if it is not used.</param>
/// <param name="Violation">The reason why the key is not used; null if it is used.</param>
internal sealed record SigningKey(SecurityKey? Key, string? Violation)
{
    private const int MinRsaBits = 2048;
    private const int MaxRsaBits = 8192;

    public static SigningKey Read(JsonElement key, string keyId)
    {
        // RFC 7517 §4.2.
        if (key.TryGetProperty("use", out _) && GetText(key, "use") != "sig")
            return Refused("it is not for signatures");
        return GetText(key, "kty") switch
        {
            JsonWebAlgorithmsKeyTypes.RSA => ReadRsa(key, keyId),
            JsonWebAlgorithmsKeyTypes.EllipticCurve => ReadCurve(key, keyId),
            _ => Refused("it is neither RSA nor on a NIST curve"),
        };
    }

    private static SigningKey ReadRsa(JsonElement key, string keyId)
    {
        if (GetText(key, "n") is not { } modulus || GetText(key, "e") is not { } exponent || DecodeBase64Url(modulus) is not { } n
            || DecodeBase64Url(exponent) is not { Length: > 0 and <= 8 })
            return Refused("it is malformed");
        return new BigInteger(n, isUnsigned: true, isBigEndian: true).GetBitLength() is >= MinRsaBits and <= MaxRsaBits
            ? new SigningKey(
                new JsonWebKey { Kty = JsonWebAlgorithmsKeyTypes.RSA, KeyId = keyId, Kid = keyId, N = modulus, E = exponent },
                Violation: null)
            : Refused($"RSA has to have {MinRsaBits} to {MaxRsaBits} bits");
    }

    private static SigningKey ReadCurve(JsonElement key, string keyId)
    {
        if (GetText(key, "crv") is not (JsonWebKeyECTypes.P256 or JsonWebKeyECTypes.P384 or JsonWebKeyECTypes.P521))
            return Refused("it is neither RSA nor on a NIST curve");
        if (GetText(key, "x") is not { } x || GetText(key, "y") is not { } y || DecodeBase64Url(x) is null || DecodeBase64Url(y) is null)
            return Refused("it is malformed");
        return new SigningKey(
            new JsonWebKey
            {
                Kty = JsonWebAlgorithmsKeyTypes.EllipticCurve,
                KeyId = keyId,
                Kid = keyId,
                Crv = GetText(key, "crv"),
                X = x,
                Y = y,
            },
            Violation: null);
    }

    private static SigningKey Refused(string why) => new(Key: null, why);

    private static string? GetText(JsonElement key, string name) =>
        key.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static byte[]? DecodeBase64Url(string text) => Base64Url.IsValid(text) ? Base64Url.DecodeFromChars(text) : null;
}
