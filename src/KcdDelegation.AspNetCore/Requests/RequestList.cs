namespace KcdDelegation.AspNetCore.Requests;

/// <summary>A doubly linked list of requests, which are its nodes. Thread-safe.</summary>
/// <remarks>A request adds and removes itself while it is locked. So no request is locked under the lock of the list.</remarks>
internal sealed class RequestList
{
    private readonly Lock _lock = new();
    private DelegatedRequest? _first;

    public void Add(DelegatedRequest request)
    {
        lock (_lock)
        {
            request.Neighbours.Next = _first;
            if (_first is not null)
                _first.Neighbours.Previous = request;
            _first = request;
        }
    }

    public void Remove(DelegatedRequest request)
    {
        lock (_lock)
        {
            var (previous, next) = (request.Neighbours.Previous, request.Neighbours.Next);
            if (previous is null)
                _first = next;
            else
                previous.Neighbours.Next = next;
            if (next is not null)
                next.Neighbours.Previous = previous;
            // Code that outlives its request would keep the others alive.
            request.Neighbours = default;
        }
    }

    /// <summary>Returns the requests of this moment.</summary>
    public List<DelegatedRequest> GetRequests()
    {
        var requests = new List<DelegatedRequest>();
        lock (_lock)
        {
            for (var request = _first; request is not null; request = request.Neighbours.Next)
                requests.Add(request);
        }
        return requests;
    }

    /// <summary>The requests before and after one, which the list's lock guards.</summary>
    internal struct Links
    {
        public DelegatedRequest? Previous;
        public DelegatedRequest? Next;
    }
}
