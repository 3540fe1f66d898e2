namespace KcdDelegation.Kerberos.Crypto;

/// <summary>Work that a hash's compression function does a step of now and then, since the processor has room for both at once.</summary>
internal interface IHashCompanion
{
    void Step();
}

/// <summary>A hash that runs alone.</summary>
internal readonly struct NoCompanion : IHashCompanion
{
    public void Step()
    {
        // Nothing runs beside the hash.
    }
}
