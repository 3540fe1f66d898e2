namespace KcdDelegation.Tool.Demo;

/// <summary>A line of a test realm's transcript with an explanation for first-time readers.</summary>
/// <param name="Name">The name of the exchange in the protocol.</param>
/// <param name="Record">The line of the transcript.</param>
/// <param name="Meaning">The explanation.</param>
internal sealed record ExplainedExchange(string Name, string Record, string Meaning)
{
    /// <summary>Gets whether the KDC refused. A line ends with ok, a referral or the name of an error code.</summary>
    public bool WasRefused => IsRefusal(Record);

    public static ExplainedExchange FromRecord(string record) => record.Split(' ')[0] switch
    {
        "AS" => new(
            "Log-on",
            record,
            "The gateway proves its identity with the key in its keytab and gets a ticket-granting ticket. No user is involved."),
        "FIND" => new("Realm discovery", record, "The gateway finds the realm of the user."),
        "SELF" => new(
            "S4U2Self",
            record,
            "The gateway gets a ticket to itself in the user's name, without the user's password (protocol transition)."),
        "PROXY" when IsRefusal(record) => new("S4U2Proxy", record, "The gateway presents that ticket as evidence, and the KDC refuses it."),
        "PROXY" => new(
            "S4U2Proxy",
            record,
            "The gateway presents that ticket as evidence. The KDC checks the delegation list and issues a ticket to the backend in the "
                + "user's name."),
        _ => new("Referral", record, "A ticket-granting ticket on the path to another realm."),
    };

    private static bool IsRefusal(string record) => record.Contains("_ERR_", StringComparison.Ordinal);
}
