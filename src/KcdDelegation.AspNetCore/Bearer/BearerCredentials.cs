using System.Buffers;
using Microsoft.Extensions.Primitives;

namespace KcdDelegation.AspNetCore.Bearer;

/// <summary>The bearer token of an <c>Authorization</c> header (RFC 6750 §2.1), or the reason why there is none.</summary>
/// <param name="Token">The token, as a part of the header's value and not a copy; empty if there is none.</param>
/// <param name="IsRepeated">Whether there is more than one header. Two readers could then choose different tokens.</param>
/// <param name="IsMalformed">Whether the scheme is Bearer but no token follows.</param>
internal readonly record struct BearerCredentials(ReadOnlyMemory<char> Token, bool IsRepeated, bool IsMalformed)
{
    private const string Scheme = "Bearer";

    /// <summary>The characters of a b64token: token68 of RFC 9110 §11.2.</summary>
    private static readonly SearchValues<char> s_tokenCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=");

    /// <summary>Reads the values of the header. Other schemes give no token and no error.</summary>
    public static BearerCredentials Parse(StringValues values)
    {
        if (values.Count != 1)
            return new BearerCredentials(default, values.Count > 1, false);
        var value = values[0].AsMemory();
        if (!value.Span.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            || (value.Length > Scheme.Length && value.Span[Scheme.Length] != ' '))
            return default;
        var token = value[Scheme.Length..].Trim(' ');
        return token.IsEmpty || token.Span.ContainsAnyExcept(s_tokenCharacters)
            ? new BearerCredentials(default, false, true)
            : new BearerCredentials(token, false, false);
    }
}
