using KcdDelegation.Kerberos;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Output;

/// <summary>A value for the <c>Authorization</c> header of one request.</summary>
internal sealed record HeaderResult : CommandResult
{
    public required string User { get; init; }

    public required string Service { get; init; }

    public required string Format { get; init; }

    public required string Value { get; init; }

    public static HeaderResult FromTicket(ServiceTicket ticket, TokenFormat format, string value) => new()
    {
        User = ticket.User.ToString(),
        Service = ticket.Service.ToString(),
        Format = format.ToString().ToLowerInvariant(),
        Value = value,
    };

    /// <summary>Writes the value alone, for <c>$(kcd header …)</c>.</summary>
    public override void WriteText(OutputStream output) => output.Writer.WriteLine(Value);
}
