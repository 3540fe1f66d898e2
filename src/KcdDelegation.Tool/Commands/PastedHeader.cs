using System.Net.Http.Headers;
using KcdDelegation.Tool.Output;
using KcdDelegation.Tool.Settings;

namespace KcdDelegation.Tool.Commands;

/// <summary>A reader for pasted headers: a token, a header value, a header line, or the complete output of <c>curl -v</c>.</summary>
internal static class PastedHeader
{
    private static readonly string[] HeaderNames = ["Authorization:", "WWW-Authenticate:", "Proxy-Authorization:", "Proxy-Authenticate:"];

    private static readonly string[] KnownSchemes = ["Negotiate", "Kerberos", "NTLM", "Basic", "Digest", "Bearer", "DPoP"];

    /// <returns>The contents of the token, or the schemes that the challenges offer.</returns>
    /// <exception cref="UsageException">The text has neither. The message describes the text without showing it.</exception>
    public static CommandResult Read(string text)
    {
        var values = SplitValues(text);
        // Base64 alone also has the syntax of a scheme.
        if (values.Count == 1 && !values[0].Contains(' ', StringComparison.Ordinal) && !EqualsAny(values[0], KnownSchemes))
            return InspectResult.FromToken(Decode(values[0]));
        var credentials = values.SelectMany(Parse).ToList();
        if (credentials.Find(HasToken) is { } token)
            return InspectResult.FromToken(Decode(token.Parameter!));
        if (credentials.Find(HasOtherCredential) is { } other)
        {
            throw new UsageException(EqualsAny(other.Scheme, "Bearer", "DPoP")
                ? "This is a bearer token, not a Kerberos token. The gateway receives it and must not forward it to the backend. See: "
                    + "kcd map --help"
                : "This is a password scheme, not Kerberos: the server did not offer Negotiate, or the client did not select it. "
                    + "Change the password, because it has been disclosed.");
        }
        return credentials.Exists(offer => EqualsAny(offer.Scheme, KnownSchemes))
            ? OfferResult.FromSchemes([.. credentials.Select(offer => offer.Scheme)])
            : throw new UsageException("The scheme must be Negotiate, Kerberos or NTLM.");
    }

    /// <summary>Returns one value for each header. Base64 that was broken into lines is one value.</summary>
    private static List<string> SplitValues(string text)
    {
        var lines = text.Split('\r', '\n', '\0').Select(RemoveCurlPrefix).ToList();
        var headers = lines.Select(GetValue).OfType<string>().ToList();
        if (headers.Count > 1 || (headers.Count == 1 && lines.Exists(line => line.StartsWith("HTTP/", StringComparison.Ordinal))))
            return headers;
        text = string.Join(text.Contains(' ', StringComparison.Ordinal) ? " " : "", lines).Trim();
        return [GetValue(text) ?? text];
    }

    /// <summary>Removes the prefix with which <c>curl -v</c> marks sent and received lines.</summary>
    private static string RemoveCurlPrefix(string line)
    {
        line = line.Trim();
        return line.StartsWith('<') || line.StartsWith('>') ? line[1..].TrimStart() : line;
    }

    /// <summary>Returns the value of an authentication header, or null for any other line.</summary>
    private static string? GetValue(string line) =>
        Array.Find(HeaderNames, name => line.StartsWith(name, StringComparison.OrdinalIgnoreCase)) is { } name
            ? line[name.Length..].TrimStart()
            : null;

    /// <summary>Parses a list of challenges, or a single scheme and the rest of the text.</summary>
    private static IEnumerable<AuthenticationHeaderValue> Parse(string value)
    {
        using var response = new HttpResponseMessage();
        if (response.Headers.WwwAuthenticate.TryParseAdd(value))
            return [.. response.Headers.WwwAuthenticate];
        var space = value.IndexOf(' ', StringComparison.Ordinal);
        return space > 0 && AuthenticationHeaderValue.TryParse(value[..space], out var scheme)
            ? [new AuthenticationHeaderValue(scheme.Scheme, value[space..].Trim())]
            : throw new UsageException("The text is neither a header value nor a token. Example: Negotiate YII…");
    }

    private static bool HasToken(AuthenticationHeaderValue value) =>
        EqualsAny(value.Scheme, "Negotiate", "Kerberos", "NTLM") && value.Parameter is { Length: > 0 } parameter
            && !HasParameterSyntax(parameter);

    /// <summary>Returns whether the value is a credential that a client sends, and not a challenge.</summary>
    private static bool HasOtherCredential(AuthenticationHeaderValue value) =>
        value.Parameter is { Length: > 0 } parameter
        && EqualsAny(value.Scheme, "Bearer", "DPoP", "Basic", "Digest")
        && (!HasParameterSyntax(parameter) || parameter.Contains("username", StringComparison.OrdinalIgnoreCase));

    /// <summary>Returns whether the text is a parameter <c>a=b</c> (RFC 9110 §11.2). In base64, only another = can follow an =.</summary>
    private static bool HasParameterSyntax(string text) =>
        text.IndexOf('=', StringComparison.Ordinal) is var equals and > 0 && text[equals..].Trim('=', ' ').Length > 0;

    private static byte[] Decode(string token)
    {
        try
        {
            return Convert.FromBase64String(token);
        }
        catch (FormatException error)
        {
            throw new UsageException("The token is not base64. Check that it is complete and that no other text surrounds it.", error);
        }
    }

    private static bool EqualsAny(string text, params ReadOnlySpan<string> words)
    {
        foreach (var word in words)
        {
            if (text.Equals(word, StringComparison.OrdinalIgnoreCase))
                return true;
        }
        return false;
    }
}
