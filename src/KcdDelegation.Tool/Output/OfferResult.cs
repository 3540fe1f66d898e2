using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Output;

/// <summary>The schemes that a server offers in a 401 response, and whether Kerberos is possible.</summary>
internal sealed record OfferResult : CommandResult
{
    /// <summary>Gets the schemes in the order of the server, which is its order of preference.</summary>
    public required IReadOnlyList<string> Offers { get; init; }

    /// <summary>Gets whether one of the schemes accepts a Kerberos ticket.</summary>
    public required bool TakesKerberos { get; init; }

    public required string Advice { get; init; }

    public static OfferResult FromSchemes(IReadOnlyList<string> schemes)
    {
        var takesKerberos = schemes.Any(TakesTickets);
        return new OfferResult { Offers = schemes, TakesKerberos = takesKerberos, Advice = GetAdvice(schemes, takesKerberos) };
    }

    public override void WriteText(OutputStream output) => new LabelledLines
    {
        { "offers", string.Join(", ", Offers) },
        { "token", "none; the next request of the client carries one" },
        { "advice", Advice },
    }.Write(output);

    private static string GetAdvice(IReadOnlyList<string> schemes, bool takesKerberos)
    {
        if (!takesKerberos)
        {
            return "The server does not offer Kerberos. Configure it to offer Negotiate (in IIS, the provider Negotiate before NTLM). "
                + "This library answers no other scheme.";
        }
        return TakesTickets(schemes[0])
            ? "Kerberos is possible. If this is the response to a ticket, the server refused the ticket: check that the SPN is "
                + "registered on "
                + "the account that runs the service."
            : $"Kerberos is possible, but the server prefers {schemes[0]}, which clients may select: put Negotiate first. This library "
                + "selects "
                + "Negotiate in any position.";
    }

    private static bool TakesTickets(string scheme) =>
        scheme.Equals("Negotiate", StringComparison.OrdinalIgnoreCase) || scheme.Equals("Kerberos", StringComparison.OrdinalIgnoreCase);
}
