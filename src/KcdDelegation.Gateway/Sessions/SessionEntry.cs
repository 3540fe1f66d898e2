using Microsoft.AspNetCore.Authentication;

namespace KcdDelegation.Gateway.Sessions;

/// <summary>The facts about a session that are kept without its content. Thread-safe.</summary>
internal sealed class SessionEntry(SessionTicket session, AuthenticationProperties properties, FileVersion version)
{
    private readonly string _issuer = string.Intern(session.Issuer);
    private readonly string _subject = session.Subject;
    private readonly string? _sessionId = session.SessionId;
    private long _lastUse = version.LastWrite.Ticks;
    private long _writtenUse = version.LastWrite.Ticks;

    /// <summary>Gets the time of the sign-in, in whole seconds.</summary>
    public DateTimeOffset Issued { get; } = properties.IssuedUtc ?? DateTimeOffset.MinValue;

    /// <summary>Gets the end that a sign-in has given to the session that it replaces; null for none.</summary>
    public DateTimeOffset? End { get; } = properties.ExpiresUtc;

    /// <summary>Gets or sets the last use, in UTC.</summary>
    public DateTime LastUse
    {
        get => new(Volatile.Read(ref _lastUse), DateTimeKind.Utc);
        set => Volatile.Write(ref _lastUse, value.Ticks);
    }

    /// <summary>Gets or sets the last use that the file records, in UTC.</summary>
    public DateTime WrittenUse
    {
        get => new(Volatile.Read(ref _writtenUse), DateTimeKind.Utc);
        set => Volatile.Write(ref _writtenUse, value.Ticks);
    }

    /// <summary>Takes over a later use that the file records.</summary>
    public void Update(FileVersion current)
    {
        if (current.LastWrite > LastUse)
            LastUse = current.LastWrite;
    }

    /// <summary>Determines whether the session has ended. An open request, such as a WebSocket, is a use.</summary>
    public bool HasEnded(DateTimeOffset now, SessionSettings settings, bool isInUse)
    {
        if (now >= Issued + settings.AbsoluteLife || now >= End)
            return true;
        return !isInUse && now.UtcDateTime >= LastUse + settings.IdleLife;
    }

    public bool Is(string issuer, string? subject, string? sessionId)
    {
        if (_issuer != issuer || (subject is not null && subject != _subject))
            return false;
        if (sessionId is null)
            return subject is not null;
        return _sessionId == sessionId || (_sessionId is null && subject is not null);
    }
}
