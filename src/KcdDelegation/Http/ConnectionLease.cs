namespace KcdDelegation.Http;

/// <summary>The right to use one of a user's connections, from before a request is sent until its response has been read or
/// dropped.</summary>
/// <remarks>It is a value, so that a lease allocates nothing. Its owner ends it exactly once: <see cref="UserRoute"/> until there is a
/// response, then <see cref="LeasedContent"/>.</remarks>
internal readonly struct ConnectionLease(UserConnection connection)
{
    /// <summary>Gets whether there is a lease. The default value is none.</summary>
    public bool Exists => connection is not null;

    public UserConnection Connection => connection;

    public PooledUser User => connection.User;

    public void End()
    {
        connection.EndLease();
        User.Leave();
    }
}
