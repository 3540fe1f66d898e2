using KcdDelegation.Tool.Settings;

namespace KcdDelegation.Tool.Commands;

/// <summary>A token as people paste it.</summary>
internal static class HeaderValue
{
    private static readonly string[] HeaderNames = ["Authorization:", "WWW-Authenticate:", "Proxy-Authorization:", "Proxy-Authenticate:"];

    /// <returns>The token's bytes.</returns>
    /// <exception cref="UsageException">There is no token in it; the message says what there is, without showing it.</exception>
    public static byte[] Read(string text)
    {
        text = text.Trim();
        foreach (var name in HeaderNames)
        {
            if (text.StartsWith(name, StringComparison.OrdinalIgnoreCase))
                text = text[name.Length..].TrimStart();
        }
        var (scheme, token) = text.IndexOf(' ', StringComparison.Ordinal) is var space and > 0 ? (text[..space], text[space..].Trim()) : ("", text);
        if (IsAny(text, "Negotiate", "Kerberos", "NTLM"))
            throw new UsageException($"This is the scheme {text} without a token: a server offers it so in its 401, and the client's next request carries the token.");
        if (IsAny(scheme, "Bearer", "DPoP"))
            throw new UsageException("This is a bearer token, not a Kerberos one: a gateway takes it in, and must not pass it on. See kcd map.");
        if (IsAny(scheme, "Basic", "Digest"))
            throw new UsageException("This is a password scheme, not Kerberos: the client was not offered Negotiate, or did not take it. Change the password: it has been shown.");
        if (scheme.Length > 0 && !IsAny(scheme, "Negotiate", "Kerberos", "NTLM"))
            throw new UsageException("The scheme is none of Negotiate, Kerberos and NTLM.");
        try
        {
            return Convert.FromBase64String(token);
        }
        catch (FormatException garbage)
        {
            throw new UsageException("The token is not base64: was it cut off, or is something around it?", garbage);
        }
    }

    private static bool IsAny(string text, params ReadOnlySpan<string> words)
    {
        foreach (var word in words)
        {
            if (text.Equals(word, StringComparison.OrdinalIgnoreCase))
                return true;
        }
        return false;
    }
}
