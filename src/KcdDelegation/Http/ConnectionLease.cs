namespace KcdDelegation.Http;

/// <summary>The right to use one of a user's connections, from before a request is sent until its response has been read or
/// dropped.</summary>
/// <remarks>It is a value, so that a lease allocates nothing. Its owner ends it exactly once: <see cref="UserRoute"/> until there is a
/// response, then <see cref="LeasedContent"/>.</remarks>
internal readonly record struct ConnectionLease(UserConnection Connection)
{
    /// <summary>Gets whether there is a lease. The default value is none.</summary>
    public bool Exists => Connection is not null;

    public PooledUser User => Connection.User;

    public void End()
    {
        Connection.EndLease();
        User.Leave();
    }
}
