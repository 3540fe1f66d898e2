namespace KcdDelegation.Tests;

/// <summary>Measures what the current thread allocates.</summary>
internal static class Allocations
{
    private const int MaxAttempts = 200;

    /// <summary>Returns the bytes that the calls allocate together, in a run that no garbage collection interrupted.</summary>
    /// <remarks>A collection, which any thread can start, closes this thread's allocation context. The counter then moves although nothing
    /// was allocated. A run without a collection is exact.</remarks>
    public static long Measure(int calls, Action action)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var collections = GC.CollectionCount(0);
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var call = 0; call < calls; call++)
                action();
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (GC.CollectionCount(0) == collections)
                return allocated;
        }
        throw new InvalidOperationException($"A garbage collection interrupted each of {MaxAttempts} runs.");
    }
}
