namespace KcdDelegation.Gateway.Settings;

/// <summary>The settings for the operation of the gateway. They take effect at the start.</summary>
internal sealed class OperationOptions
{
    /// <summary>Gets or sets the format of the log.</summary>
    public LogFormat Log { get; set; }

    /// <summary>Gets or sets the path of a file to which the decisions are appended as JSON lines, with the names of users; null for
    /// none.</summary>
    public string? AuditFile { get; set; }

    /// <summary>Gets or sets the path of the local socket for <c>kcd purge</c>; null for none.</summary>
    public string? AdminSocket { get; set; }

    /// <summary>Gets or sets the address of a collector for metrics and traces (OTLP over gRPC); null for none.</summary>
    public Uri? Otlp { get; set; }

    /// <summary>Gets or sets whether the collector gets the log too, which has names of users.</summary>
    public bool OtlpLogs { get; set; }

    /// <summary>Gets or sets the address at which Prometheus requests <c>/metrics</c>; null for none. Clients do not use it.</summary>
    public string? Prometheus { get; set; }

    /// <summary>Gets or sets the user who must get a ticket to every application; null: the readiness requests no ticket.</summary>
    public string? ProbeUser { get; set; }
}

/// <summary>The formats of the log on the standard output.</summary>
internal enum LogFormat
{
    /// <summary>That of systemd if the output is a journal, otherwise text.</summary>
    Auto,

    /// <summary>One line of text for each event.</summary>
    Text,

    /// <summary>One JSON object for each event.</summary>
    Json,

    /// <summary>Text with the priorities of systemd.</summary>
    Systemd,
}
