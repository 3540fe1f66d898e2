namespace KcdDelegation.Tool.Demo;

/// <summary>A line of a test realm's transcript, and what it means to somebody who sees one for the first time.</summary>
/// <param name="Name">The protocol's name of the exchange.</param>
/// <param name="Record">The line.</param>
/// <param name="Meaning">In words.</param>
internal sealed record ExplainedExchange(string Name, string Record, string Meaning)
{
    /// <summary>The realm ends a line with ok, a referral or the RFC's name of an error.</summary>
    public bool WasRefused => IsRefusal(Record);

    public static ExplainedExchange From(string record) => record.Split(' ')[0] switch
    {
        "AS" => new("Log-on", record, "the gateway proves itself with the key in its keytab and gets a ticket-granting ticket. No user takes part."),
        "FIND" => new("Realm discovery", record, "which realm has the user?"),
        "SELF" => new("S4U2Self", record, "a ticket to the gateway itself, in the user's name, without the user's password: protocol transition."),
        "PROXY" when IsRefusal(record) => new("S4U2Proxy", record, "that ticket is shown as evidence, and the KDC refuses it."),
        "PROXY" => new("S4U2Proxy", record, "that ticket is shown as evidence, and the KDC checks the delegation list: a ticket to the backend, in the user's name."),
        _ => new("Another ticket", record, "on the way to another realm."),
    };

    private static bool IsRefusal(string record) => record.Contains("_ERR_", StringComparison.Ordinal);
}
