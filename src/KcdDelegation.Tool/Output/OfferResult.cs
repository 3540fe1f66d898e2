using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Output;

/// <summary>What a server offers in its 401, and whether Kerberos can come of it.</summary>
internal sealed record OfferResult : CommandResult
{
    /// <summary>The schemes in the server's order, which is its order of preference.</summary>
    public required IReadOnlyList<string> Offers { get; init; }

    /// <summary>Whether one of them takes a Kerberos ticket.</summary>
    public required bool TakesKerberos { get; init; }

    public required string Advice { get; init; }

    public static OfferResult From(IReadOnlyList<string> schemes)
    {
        var takesKerberos = schemes.Any(TakesTickets);
        return new OfferResult { Offers = schemes, TakesKerberos = takesKerberos, Advice = AdviceFor(schemes, takesKerberos) };
    }

    public override void WriteText(OutputStream output) => new LabelledLines
    {
        { "offers", string.Join(", ", Offers) },
        { "token", "none: the client's next request carries one" },
        { "advice", Advice },
    }.Write(output);

    private static string AdviceFor(IReadOnlyList<string> schemes, bool takesKerberos) =>
        !takesKerberos ? "The server has no Kerberos to give: it must offer Negotiate (in IIS the provider Negotiate, in front of NTLM). This library answers nothing else."
        : TakesTickets(schemes[0]) ? "Kerberos is possible. If the server says this to a ticket, it refused the ticket: see whether the SPN is on the account that runs the service."
        : $"Kerberos is possible, but the server prefers {schemes[0]}, and clients may take that: put Negotiate first. This library takes Negotiate wherever it stands.";

    private static bool TakesTickets(string scheme) =>
        scheme.Equals("Negotiate", StringComparison.OrdinalIgnoreCase) || scheme.Equals("Kerberos", StringComparison.OrdinalIgnoreCase);
}
