using System.IdentityModel.Tokens.Jwt;
using System.Text;
using Microsoft.IdentityModel.Tokens;

namespace KcdDelegation.Testing.Issuing;

/// <summary>Writes tokens with exactly one flaw.</summary>
internal sealed class FlawedTokenWriter(string issuer, TimeProvider timeProvider, SigningKeys keys)
{
    private const string Other = "99999999-8888-7777-6666-555555555555";

    public string Write(TokenFlaw flaw, Dictionary<string, object?> claims)
    {
        var now = timeProvider.GetUtcNow().ToUnixTimeSeconds();
        switch (flaw)
        {
            case TokenFlaw.Expired:
                (claims["iat"], claims["nbf"], claims["exp"]) = (now - 7200, now - 7200, now - 3600);
                break;
            case TokenFlaw.NotYetValid:
                (claims["nbf"], claims["exp"]) = (now + 3600, now + 7200);
                break;
            case TokenFlaw.NoExpiry:
                claims["exp"] = null;
                break;
            case TokenFlaw.WrongAudience:
                claims["aud"] = "api://another";
                break;
            case TokenFlaw.WrongIssuer:
                claims["iss"] = issuer.Replace("/v2.0", "/v2.0/", StringComparison.Ordinal) + "evil";
                break;
            case TokenFlaw.WrongTenant:
                claims["tid"] = Other;
                break;
            case TokenFlaw.Guest:
                claims["acct"] = 1;
                break;
            case TokenFlaw.ApplicationOnly:
                (claims["idtyp"], claims["upn"], claims["scp"], claims["sub"]) = ("app", null, null, claims["oid"]);
                break;
            default:
                return WriteWrongSignature(flaw, claims);
        }
        return TokenWriter.Write(claims, keys.Newest);
    }

    private string WriteWrongSignature(TokenFlaw flaw, Dictionary<string, object?> claims)
    {
        switch (flaw)
        {
            case TokenFlaw.AlgorithmNone:
                return TokenWriter.Write(claims, new JwtHeader());
            case TokenFlaw.HmacWithPublicKey:
                var publicKey = Encoding.ASCII.GetBytes(keys.Newest.Rsa.ExportSubjectPublicKeyInfoPem());
                var secret = new SymmetricSecurityKey(publicKey) { KeyId = keys.Newest.KeyId };
                return TokenWriter.Write(claims, secret, SecurityAlgorithms.HmacSha256);
            case TokenFlaw.OtherKey:
                var otherKey = keys.Create();
                otherKey.KeyId = keys.Newest.KeyId;
                return TokenWriter.Write(claims, otherKey);
            case TokenFlaw.UnknownKey:
                return TokenWriter.Write(claims, keys.Create());
            case TokenFlaw.Tampered:
                var signed = TokenWriter.Write(claims, keys.Newest).Split('.');
                claims["upn"] = "administrator@contoso.com";
                return $"{signed[0]}.{TokenWriter.Write(claims, keys.Newest).Split('.')[1]}.{signed[2]}";
            default:
                throw new ArgumentOutOfRangeException(nameof(flaw), flaw, "The value is not a member of TokenFlaw.");
        }
    }
}
