using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Microsoft.IdentityModel.Tokens;

namespace KcdDelegation.Testing.Issuing;

/// <summary>OpenID Connect Discovery 1.0 §3 and RFC 7517 §5, reduced to what token validation reads.</summary>
internal static class ProviderDocuments
{
    public static string Discovery(string issuer, string keys) => new JsonObject
    {
        ["issuer"] = issuer,
        ["authorization_endpoint"] = issuer + "/authorize",
        ["token_endpoint"] = issuer + "/token",
        ["jwks_uri"] = keys,
        ["response_types_supported"] = new JsonArray("code", "id_token"),
        ["subject_types_supported"] = new JsonArray("pairwise"),
        ["id_token_signing_alg_values_supported"] = new JsonArray("RS256"),
    }.ToJsonString();

    public static string Keys(ImmutableArray<RsaSecurityKey> keys) =>
        new JsonObject { ["keys"] = new JsonArray([.. keys.Select(Key)]) }.ToJsonString();

    private static JsonNode Key(RsaSecurityKey key)
    {
        var parameters = key.Rsa.ExportParameters(includePrivateParameters: false);
        return new JsonObject
        {
            ["kty"] = "RSA",
            ["use"] = "sig",
            ["kid"] = key.KeyId,
            ["n"] = Base64UrlEncoder.Encode(parameters.Modulus),
            ["e"] = Base64UrlEncoder.Encode(parameters.Exponent),
        };
    }
}
