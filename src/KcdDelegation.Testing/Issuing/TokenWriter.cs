using System.IdentityModel.Tokens.Jwt;
using Microsoft.IdentityModel.Tokens;

namespace KcdDelegation.Testing.Issuing;

/// <summary>Writes tokens with <see cref="JwtSecurityTokenHandler"/>, which the library does not use to read them.</summary>
internal static class TokenWriter
{
    public static string Write(
        IReadOnlyDictionary<string, object?> claims, SecurityKey key, string algorithm = SecurityAlgorithms.RsaSha256) =>
        Write(claims, new JwtHeader(new SigningCredentials(key, algorithm)));

    public static string Write(IReadOnlyDictionary<string, object?> claims, JwtHeader header)
    {
        var payload = new JwtPayload();
        foreach (var (name, value) in claims)
        {
            if (value is not null)
                payload[name] = value;
        }
        return new JwtSecurityTokenHandler().WriteToken(new JwtSecurityToken(header, payload));
    }
}
