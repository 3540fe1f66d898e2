using System.Net.Http.Headers;

namespace KcdDelegation.Http;

/// <summary>A challenge of RFC 9110 §11.6.1: auth-scheme [ 1*SP ( token68 / #auth-param ) ]. Parameters such as the realm are
/// skipped.</summary>
/// <param name="Scheme">The scheme as the backend wrote it. Compare it with <see cref="Is"/>.</param>
/// <param name="Token">The token68, or null.</param>
/// <param name="Text">The whole challenge, including its parameters.</param>
internal readonly record struct Challenge(string Scheme, string? Token, string Text)
{
    /// <summary>The limit on the challenges that are read. Backends offer about six at most.</summary>
    private const int MaxChallenges = 32;

    public bool Is(string scheme) => string.Equals(Scheme, scheme, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether the scheme accepts a Kerberos ticket: Negotiate, or Kerberos as WinRM names it.</summary>
    public bool AcceptsTickets => Is("Negotiate") || Is("Kerberos");

    /// <summary>Whether the scheme is negotiated between this handler and the backend, and is of no use to the host's own caller.</summary>
    private bool IsNegotiation => AcceptsTickets || Is("NTLM");

    /// <summary>Reads all challenges of a response, in the backend's order of preference. One header line may hold several.</summary>
    public static IReadOnlyList<Challenge> ReadAll(HttpResponseHeaders headers)
    {
        if (!headers.NonValidated.TryGetValues("WWW-Authenticate", out var values))
            return [];
        var challenges = new List<Challenge>();
        foreach (var value in values)
            Read(value, challenges);
        return challenges;
    }

    /// <summary>Removes the challenges of Negotiate, Kerberos and NTLM with their tokens from a response, and the fields that concern this
    /// connection only. Other challenges are kept, one per line.</summary>
    /// <remarks>Text that cannot be parsed is removed too, because it may contain such a challenge. Proxy-Authenticate applies to the next
    /// client only (RFC 9110 §11.7.1), which is this handler.</remarks>
    public static void RemoveNegotiation(HttpResponseHeaders headers, IReadOnlyList<Challenge> challenges)
    {
        foreach (var name in (ReadOnlySpan<string>)["Persistent-Auth", "Proxy-Authenticate", "Proxy-Authentication-Info"])
            headers.Remove(name);
        if (!headers.Remove("WWW-Authenticate"))
            return;
        foreach (var challenge in challenges.Where(challenge => !challenge.IsNegotiation))
            headers.TryAddWithoutValidation("WWW-Authenticate", challenge.Text);
    }

    /// <summary>Reads the challenges of one header line. Text that cannot be parsed ends the line, but the other header lines are still
    /// read.</summary>
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

    /// <summary>Reads a token68, which ends at a comma or at the end of the line: <c>a=b</c> is a parameter, <c>YII=</c> is not.</summary>
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

    /// <summary>Skips the parameters of a challenge.</summary>
    /// <remarks>auth-param = token BWS "=" BWS ( token / quoted-string ). A token without "=" after a comma is the next scheme.</remarks>
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
