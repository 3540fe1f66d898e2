namespace KcdDelegation.DirectoryServices;

/// <summary>The kind of a directory's failure.</summary>
public enum DirectoryFailure
{
    /// <summary>No server could be reached, or none answered in time. The same request may succeed later.</summary>
    Unavailable,

    /// <summary>A server answered with a result code other than success (<see cref="DirectoryException.ResultCode"/>).</summary>
    Refused,

    /// <summary>A server's answer violates the protocol, was changed on the way, or is not protected as required.</summary>
    AnswerRejected,

    /// <summary>The result exceeds a bound of the client.</summary>
    TooLarge,

    /// <summary>The reader has no ticket to the server: its log-on or the server's service principal name was refused.</summary>
    NoTicket,
}
