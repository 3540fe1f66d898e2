using System.Net.Http.Headers;

namespace KcdDelegation.Http;

/// <summary>RFC 9110 §11.6.1: challenge = auth-scheme [ 1*SP ( token68 / #auth-param ) ]. Parameters (realm and the like) are passed over.</summary>
/// <param name="Scheme">As the backend wrote it; compare with <see cref="Is"/>.</param>
/// <param name="Token">The token68, or null.</param>
/// <param name="Text">All of it, parameters included.</param>
internal readonly record struct Challenge(string Scheme, string? Token, string Text)
{
    /// <summary>What a backend offers is half a dozen at most.</summary>
    private const int MaxChallenges = 32;

    public bool Is(string scheme) => string.Equals(Scheme, scheme, StringComparison.OrdinalIgnoreCase);

    /// <summary>Negotiate, or the Kerberos of WinRM: the schemes that take our ticket.</summary>
    public bool TakesTickets => Is("Negotiate") || Is("Kerberos");

    /// <summary>A scheme that is negotiated with us, and means nothing to whoever is behind us.</summary>
    private bool IsNegotiation => TakesTickets || Is("NTLM");

    /// <summary>All challenges of a response, in the backend's order, which is its order of preference; several in one header line or one a
    /// line.</summary>
    public static List<Challenge> ReadAll(HttpResponseHeaders headers)
    {
        var challenges = new List<Challenge>();
        if (headers.NonValidated.TryGetValues("WWW-Authenticate", out var values))
        {
            foreach (var value in values)
                Read(value, challenges);
        }
        return challenges;
    }

    /// <summary>Takes the challenges of Negotiate, Kerberos and NTLM off a response, with the tokens in them; the others stay, one a line. What
    /// cannot be read goes too: it may hide one.</summary>
    public static void RemoveNegotiation(HttpResponseHeaders headers, IReadOnlyList<Challenge> challenges)
    {
        if (!headers.Remove("WWW-Authenticate"))
            return;
        foreach (var challenge in challenges.Where(challenge => !challenge.IsNegotiation))
            headers.TryAddWithoutValidation("WWW-Authenticate", challenge.Text);
    }

    /// <summary>What cannot be read ends the line, not the request: the rest of the headers is still good.</summary>
    internal static void Read(ReadOnlySpan<char> value, List<Challenge> challenges)
    {
        while (challenges.Count < MaxChallenges)
        {
            value = value.TrimStart(" \t,");
            var start = value;
            var scheme = Take(ref value, IsTokenCharacter);
            if (scheme.IsEmpty)
                return;
            var afterScheme = value.TrimStart(" \t");
            var token = afterScheme.Length < value.Length ? TakeToken68(ref afterScheme) : default;
            value = afterScheme;
            var canGoOn = !token.IsEmpty || TrySkipParameters(ref value);
            var text = start[..^value.Length].TrimEnd(" \t,");
            challenges.Add(new Challenge(scheme.ToString(), token.IsEmpty ? null : token.ToString(), text.ToString()));
            if (!canGoOn)
                return;
        }
    }

    /// <summary>A token68 stands alone up to a comma or the end: <c>a=b</c> is a parameter, <c>YII=</c> is not.</summary>
    private static ReadOnlySpan<char> TakeToken68(ref ReadOnlySpan<char> value)
    {
        var rest = value;
        var length = Take(ref rest, IsToken68Character).Length;
        if (length == 0)
            return default;
        length += Take(ref rest, static c => c == '=').Length;
        rest = rest.TrimStart(" \t");
        if (!rest.IsEmpty && rest[0] != ',')
            return default;
        var token = value[..length];
        value = rest;
        return token;
    }

    /// <summary>auth-param = token BWS "=" BWS ( token / quoted-string ); a token without "=" behind a comma is the next scheme.</summary>
    private static bool TrySkipParameters(ref ReadOnlySpan<char> value)
    {
        while (true)
        {
            var rest = value.TrimStart(" \t,");
            if (Take(ref rest, IsTokenCharacter).IsEmpty)
                return rest.IsEmpty;
            rest = rest.TrimStart(" \t");
            if (rest.IsEmpty || rest[0] != '=')
                return true;
            rest = rest[1..].TrimStart(" \t");
            if (rest.StartsWith("\""))
            {
                if (!TrySkipQuotedString(ref rest))
                    return false;
            }
            else
                Take(ref rest, static c => c is not (',' or ' ' or '\t'));
            value = rest;
        }
    }

    private static bool TrySkipQuotedString(ref ReadOnlySpan<char> value)
    {
        for (var i = 1; i < value.Length; i++)
        {
            if (value[i] == '\\')
                i++;
            else if (value[i] == '"')
            {
                value = value[(i + 1)..];
                return true;
            }
        }
        return false;
    }

    private static ReadOnlySpan<char> Take(ref ReadOnlySpan<char> value, Func<char, bool> belongs)
    {
        var length = 0;
        while (length < value.Length && belongs(value[length]))
            length++;
        var taken = value[..length];
        value = value[length..];
        return taken;
    }

    // RFC 9110 §5.6.2 tchar.
    private static bool IsTokenCharacter(char c) => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal);

    // RFC 9110 §11.2.
    private static bool IsToken68Character(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or '~' or '+' or '/';
}
