using System.Net.Http.Headers;
using KcdDelegation.Tool.Output;
using KcdDelegation.Tool.Settings;

namespace KcdDelegation.Tool.Commands;

/// <summary>Headers as people paste them: a token, a header's value, a line of it, or all that <c>curl -v</c> shows.</summary>
internal static class PastedHeader
{
    private static readonly string[] HeaderNames = ["Authorization:", "WWW-Authenticate:", "Proxy-Authorization:", "Proxy-Authenticate:"];

    private static readonly string[] KnownSchemes = ["Negotiate", "Kerberos", "NTLM", "Basic", "Digest", "Bearer", "DPoP"];

    /// <returns>What its token is, or what its challenges offer.</returns>
    /// <exception cref="UsageException">There is neither in it; the message says what there is, without showing it.</exception>
    public static CommandResult Read(string text)
    {
        var values = ValuesIn(text);
        // A base64 text alone reads as a scheme, too.
        if (values.Count == 1 && !values[0].Contains(' ', StringComparison.Ordinal) && !IsAny(values[0], KnownSchemes))
            return InspectResult.From(Decode(values[0]));
        var credentials = values.SelectMany(Parse).ToList();
        if (credentials.Find(HasToken) is { } token)
            return InspectResult.From(Decode(token.Parameter!));
        if (credentials.Find(IsOfAnotherKind) is { } other)
            throw new UsageException(IsAny(other.Scheme, "Bearer", "DPoP")
                ? "This is a bearer token, not a Kerberos one: a gateway takes it in, and must not pass it on. See kcd map."
                : "This is a password scheme, not Kerberos: the client was not offered Negotiate, or did not take it. Change the password: it has been shown.");
        return credentials.Exists(offer => IsAny(offer.Scheme, KnownSchemes))
            ? OfferResult.From([.. credentials.Select(offer => offer.Scheme)])
            : throw new UsageException("The scheme is none of Negotiate, Kerberos and NTLM.");
    }

    /// <summary>One value a header. Of many lines only the headers count; a base64 text that was broken into lines is one value.</summary>
    private static List<string> ValuesIn(string text)
    {
        var lines = text.Split('\r', '\n', '\0').Select(WithoutMark).ToList();
        var headers = lines.Select(GetValue).OfType<string>().ToList();
        if (headers.Count > 1 || (headers.Count == 1 && lines.Exists(line => line.StartsWith("HTTP/", StringComparison.Ordinal))))
            return headers;
        text = string.Join(text.Contains(' ', StringComparison.Ordinal) ? " " : "", lines).Trim();
        return [GetValue(text) ?? text];
    }

    /// <summary><c>curl -v</c> marks what it sent and what it got.</summary>
    private static string WithoutMark(string line)
    {
        line = line.Trim();
        return line.StartsWith('<') || line.StartsWith('>') ? line[1..].TrimStart() : line;
    }

    /// <summary>Null: not a header of authentication.</summary>
    private static string? GetValue(string line) =>
        Array.Find(HeaderNames, name => line.StartsWith(name, StringComparison.OrdinalIgnoreCase)) is { } name ? line[name.Length..].TrimStart() : null;

    /// <summary>A list, as a server may write it; a text that is none is a scheme and what stands behind it.</summary>
    private static IEnumerable<AuthenticationHeaderValue> Parse(string value)
    {
        using var response = new HttpResponseMessage();
        if (response.Headers.WwwAuthenticate.TryParseAdd(value))
            return [.. response.Headers.WwwAuthenticate];
        var space = value.IndexOf(' ', StringComparison.Ordinal);
        return space > 0 && AuthenticationHeaderValue.TryParse(value[..space], out var scheme)
            ? [new AuthenticationHeaderValue(scheme.Scheme, value[space..].Trim())]
            : throw new UsageException("This is neither a header's value nor a token. It looks like: Negotiate YII…");
    }

    private static bool HasToken(AuthenticationHeaderValue value) =>
        IsAny(value.Scheme, "Negotiate", "Kerberos", "NTLM") && value.Parameter is { Length: > 0 } parameter && !IsParameters(parameter);

    /// <summary>What a client sends, not what a server asks for.</summary>
    private static bool IsOfAnotherKind(AuthenticationHeaderValue value) =>
        value.Parameter is { Length: > 0 } parameter
        && IsAny(value.Scheme, "Bearer", "DPoP", "Basic", "Digest")
        && (!IsParameters(parameter) || parameter.Contains("username", StringComparison.OrdinalIgnoreCase));

    /// <summary>RFC 9110 §11.2: <c>a=b</c> is a parameter; in base64, nothing but another = stands behind one.</summary>
    private static bool IsParameters(string text) =>
        text.IndexOf('=', StringComparison.Ordinal) is var equals and > 0 && text[equals..].Trim('=', ' ').Length > 0;

    private static byte[] Decode(string token)
    {
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
